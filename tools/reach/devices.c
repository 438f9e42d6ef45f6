#include "reach/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "runtime/enumerate.h"

static fovea_status add(const fovea_found *found, size_t index, const char *selector, devices *d) {
  for (size_t i = 0; i < d->count; i++)
    if (d->index[i] == index)
      return fovea_fail(FOVEA_INVALID, "--device: '%.100s' is %s, which is in the list already", selector, d->name[i]);
  if (d->count == DEVICES_MOST)
    return fovea_fail(FOVEA_INVALID, "--device: more than %d devices; a sweep over ranks takes any number",
                      DEVICES_MOST);
  snprintf(d->name[d->count], DEVICES_NAME, "device %zu (%s)", index, found[index].info.name);
  d->index[d->count++] = index;
  return FOVEA_OK;
}

static fovea_status add_one(const fovea_found *found, size_t count, const char *selector, devices *d) {
  size_t index = 0;
  fovea_status status = fovea_select(found, count, selector, &index);
  return status ? status : add(found, index, selector, d);
}

static fovea_status add_usable(const fovea_found *found, size_t count, devices *d) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < count && !status; i++)
    if (found[i].info.usable) status = add(found, i, "all", d);
  return status || d->count > 0 ? status : add_one(found, count, "", d); /* whose message says why there is none */
}

static fovea_status add_alike(const fovea_found *found, size_t count, devices *d) {
  size_t best = 0;
  fovea_status status = fovea_select(found, count, "", &best);
  for (size_t i = 0; i < count && !status; i++)
    if (found[i].info.usable && found[i].info.type == found[best].info.type) status = add(found, i, "", d);
  return status;
}

/* A comma may be part of a name, too. */
static fovea_status add_list(const fovea_found *found, size_t count, const char *list, devices *d) {
  size_t whole = 0;
  fovea_status status = FOVEA_OK;
  if (strchr(list, ',') && fovea_select(found, count, list, &whole) == FOVEA_OK) return add(found, whole, list, d);
  for (const char *at = list; at && !status;) {
    char one[256];
    const size_t length = strcspn(at, ",");
    snprintf(one, sizeof one, "%.*s", (int)length, at);
    if (length == 0 || length >= sizeof one)
      return fovea_fail(FOVEA_INVALID, "--device: '%.200s' has an empty name, or one too long", list);
    status = add_one(found, count, one, d);
    at = at[length] ? at + length + 1 : NULL;
  }
  return status;
}

fovea_status devices_find(const char *selector, bool alike, devices *d) {
  fovea_found *found = NULL;
  size_t count = 0;
  *d = (devices){.count = 0};
  fovea_status status = fovea_enumerate(&found, &count);
  if (!status && selector && strcmp(selector, "all") == 0)
    status = add_usable(found, count, d);
  else if (!status && selector && *selector)
    status = add_list(found, count, selector, d);
  else if (!status)
    status = alike ? add_alike(found, count, d) : add_one(found, count, "", d);
  free(found);
  return status;
}

static void keep(devices *d, size_t to, size_t from) {
  if (to == from) return;
  d->index[to] = d->index[from];
  memcpy(d->name[to], d->name[from], DEVICES_NAME);
}

bool devices_divide(devices *d, size_t place, size_t count) {
  const bool shared = d->count < count;
  size_t kept = 0;
  for (size_t i = shared ? place % d->count : place; i < d->count; i += shared ? d->count : count) keep(d, kept++, i);
  d->count = kept;
  return shared;
}

const char *devices_list(const devices *d, size_t without, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; i < d->count && used < size; i++)
    if (i != without) used += (size_t)snprintf(text + used, size - used, "%s%zu", used > 0 ? "," : "", d->index[i]);
  return text;
}
