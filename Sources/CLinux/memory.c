#define _DEFAULT_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "CLinux.h"

static _Thread_local bool wipes;

void clinux_wipe_what_is_freed(bool wanted) { wipes = wanted; }

static _Thread_local bool has_failed;

void clinux_note_failed_allocation(void) { has_failed = true; }

bool clinux_allocation_has_failed(void) {
  bool result = has_failed;
  has_failed = false;
  return result;
}

// Nobody has asked for a block of no bytes, which may be null.
static void *noted(void *block, size_t count) {
  if (block == NULL && count > 0) clinux_note_failed_allocation();
  return block;
}

void *clinux_allocate(size_t count) { return noted(malloc(count), count); }

static _Thread_local long granted = -1;

void clinux_grant_blocks(long count) { granted = count; }

void *clinux_allocate_block(size_t count) {
  if (granted == 0) return NULL;
  if (granted > 0) granted--;
  return malloc(count);
}

void clinux_free(void *block) {
  if (wipes && block != NULL) explicit_bzero(block, malloc_usable_size(block));
  free(block);
}

void *clinux_resize(void *block, size_t count) {
  if (!wipes || block == NULL || count == 0) return noted(realloc(block, count), count);
  void *larger = clinux_allocate(count);
  if (larger == NULL) return NULL;
  size_t before = malloc_usable_size(block);
  memcpy(larger, block, before < count ? before : count);
  clinux_free(block);
  return larger;
}
