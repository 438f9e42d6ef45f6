#include "train/show.h"

#include "base/fail.h"

enum { MOST_CHANNELS = 65535 };

option show_option(option_ints *show) {
  return (option){.name = "show",
                  .kind = OPTION_INTS,
                  .value = show,
                  .min = 1,
                  .max = MOST_CHANNELS,
                  .argument = "CHANNELS",
                  .help =
                      "channels that pictures show, counted from 1: one as gray or three as colours; of more than "
                      "three the first three"};
}

fovea_status show_channels(const option_ints *show, int channels, grid_channels *room, const grid_channels **given) {
  *given = NULL;
  if (show->count == 0) return FOVEA_OK;
  if (show->count != 1 && show->count != 3)
    return fovea_fail(FOVEA_INVALID, "--show: %d channels, expected one for gray, or three as 3,2,1", show->count);
  *room = (grid_channels){.count = show->count};
  for (int i = 0; i < show->count; i++) {
    room->of[i] = show->values[i] - 1;
    if (show->values[i] > channels)
      return fovea_fail(FOVEA_INVALID, "--show: channel %d, the images have %d", show->values[i], channels);
  }
  *given = room;
  return FOVEA_OK;
}

bool show_put(json_t *config, const option_ints *show) {
  if (show->count == 0) return true;
  json_t *list = json_array();
  bool good = list != NULL;
  for (int i = 0; i < show->count && good; i++) good = json_array_append_new(list, json_integer(show->values[i])) == 0;
  good = good && json_object_set(config, "show", list) == 0;
  json_decref(list);
  return good;
}

bool show_get(const json_t *config, option_ints *show) {
  const json_t *list = json_object_get(config, "show");
  option_ints read = {.count = (int)json_array_size(list)};
  if (list == NULL) return true;
  if (read.count != 1 && read.count != 3) return false;
  for (int i = 0; i < read.count; i++) {
    const json_int_t channel = json_integer_value(json_array_get(list, (size_t)i));
    if (channel < 1 || channel > MOST_CHANNELS) return false;
    read.values[i] = (int)channel;
  }
  *show = read;
  return true;
}
