#define _DEFAULT_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "CLinux.h"

static _Thread_local bool wipes;

void clinux_wipe_what_is_freed(bool wanted) { wipes = wanted; }

void *clinux_allocate(size_t count) { return malloc(count); }

void clinux_free(void *block) {
  if (wipes && block != NULL) explicit_bzero(block, malloc_usable_size(block));
  free(block);
}

void *clinux_resize(void *block, size_t count) {
  if (!wipes || block == NULL || count == 0) return realloc(block, count);
  void *larger = malloc(count);
  if (larger == NULL) return NULL;
  size_t before = malloc_usable_size(block);
  memcpy(larger, block, before < count ? before : count);
  clinux_free(block);
  return larger;
}
