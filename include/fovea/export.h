/* FOVEA_API: what stands before each public function, so that libfovea.so exports it. All else in the library is
 * compiled with hidden visibility. It is the same for who builds the library and who uses it, shared or static. */
#ifndef FOVEA_EXPORT_H
#define FOVEA_EXPORT_H

#if defined(__GNUC__)
#define FOVEA_API __attribute__((visibility("default")))
#else
#define FOVEA_API
#endif

#endif
