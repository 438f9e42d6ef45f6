/* Writing the report of a load; see fovea/data.h. */
#ifndef FOVEA_DATA_REPORT_H
#define FOVEA_DATA_REPORT_H

#include "fovea/data.h"

/* All return FOVEA_NO_MEMORY and nothing else. The strings are copied. */
fovea_status fovea_report_create(fovea_data_report **report);
void fovea_report_destroy(fovea_data_report *report); /* takes NULL */

fovea_status fovea_report_class(fovea_data_report *report, const char *name, int label);

/* One more file or folder of this kind was passed over. */
fovea_status fovea_report_pass_over(fovea_data_report *report, const char *kind);

__attribute__((format(printf, 2, 3))) fovea_status fovea_report_remark(fovea_data_report *report, const char *format,
                                                                       ...);

/* Counts the labels of a split, `total` of them, and those at the places in `index` (NULL: the first), `count` of them;
 * classes that have no name yet are called by their numbers, and stand sorted if none had one. */
fovea_status fovea_report_count(fovea_data_report *report, const uint16_t *labels, size_t total, const uint32_t *index,
                                size_t count);

/* Counts an image of the label's class as there, or as taken. */
void fovea_report_there(fovea_data_report *report, int label);
void fovea_report_taken(fovea_data_report *report, int label);

/* An image that was counted as there, of this class or with -1 of none, turned out to be none. */
void fovea_report_lost(fovea_data_report *report, int label);

/* Adds all that `from` has to `to`, which has nothing yet. */
fovea_status fovea_report_copy(const fovea_data_report *from, fovea_data_report *to);

#endif
