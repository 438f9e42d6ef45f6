/* The files of tools/report/page/, embedded by cl/embed.cmake: what every page is made of. */
#ifndef FOVEA_TOOLS_REPORT_TEMPLATE_H
#define FOVEA_TOOLS_REPORT_TEMPLATE_H

typedef struct template_file {
  const char *name; /* "page.html" */
  const char *text;
} template_file;

extern const template_file template_files[]; /* ended by a NULL name */

#endif
