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

/* Counts an image of the label's class as there, or as taken. */
void fovea_report_there(fovea_data_report *report, int label);
void fovea_report_taken(fovea_data_report *report, int label);

#endif
