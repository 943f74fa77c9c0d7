#include "order.h"

#include <stdlib.h>
#include <string.h>

#include "instant.h"

/* What the worker says of a text that is in none of the usual forms; remembered, because a scan compares each of its rows with the same few. */
static const Instant *asked_instant(Host *host, const char *text, int length) {
  uint32_t hash = 2166136261u;
  for (int n = 0; n < length; n++) hash = (hash ^ (uint8_t)text[n]) * 16777619u;
  Instant *found = &host->instants[hash % INSTANTS];
  if (found->text && found->length == length && memcmp(found->text, text, (size_t)length) == 0) return found;
  char *error = NULL;
  Frame *reply = NULL;
  Writer request;
  char *key = NULL, *complaint_text = NULL;
  if (greet(host, &error) == SQLITE_OK) {
    writer_begin(&request, 'I');
    write_array(&request, 1);
    write_text(&request, text, (size_t)length);
    if (ask(host, &request, 'i', 0, &reply, &error) == SQLITE_OK) {
      Reader reader = reader_of(reply->payload, reply->length);
      if (read_array(&reader) == 2) {
        key = read_text(&reader);
        complaint_text = read_text(&reader);
      }
      free(reply);
    }
  }
  sqlite3_free(error);
  size_t key_length = key ? strlen(key) + 1 : 0, complaint_length = complaint_text ? strlen(complaint_text) + 1 : 0;
  char *kept = malloc((size_t)length + 1 + key_length + complaint_length);
  if (kept) {
    free(found->text);
    memcpy(kept, text, (size_t)length);
    found->text = kept;
    found->length = length;
    found->key = key ? memcpy(kept + length + 1, key, key_length) : NULL;
    found->complaint = complaint_text ? memcpy(kept + length + 1 + key_length, complaint_text, complaint_length) : NULL;
  }
  free(key);
  free(complaint_text);
  return kept ? found : NULL;
}

typedef struct Rank {
  int is_time;
  char key[INSTANT_KEY];
} Rank;

static Rank rank_of(Host *host, const char *text, int length, int may_be_text) {
  Rank rank = {1, ""};
  if (usual_instant(text, length, rank.key)) return rank;
  const Instant *found = asked_instant(host, text, length);
  if (found && found->key) {
    strncpy(rank.key, found->key, sizeof rank.key - 1);
    return rank;
  }
  rank.is_time = 0;
  if (!may_be_text && found && found->complaint && !host->bad_time) host->bad_time = strdup(found->complaint);
  return rank;
}

static int ordered(const char *left, int left_length, const char *right, int right_length) {
  int order = memcmp(left, right, (size_t)(left_length < right_length ? left_length : right_length));
  return order ? order : left_length - right_length;
}

/* Texts that are no times come after all times, in their own order. */
static int compare(Host *host, int may_be_text, int left_length, const char *left, int right_length, const char *right) {
  if (left_length == right_length && is_canonical(left, left_length) && is_canonical(right, right_length)) return memcmp(left, right, (size_t)left_length);
  Rank first = rank_of(host, left, left_length, may_be_text), second = rank_of(host, right, right_length, may_be_text);
  if (first.is_time != second.is_time) return first.is_time ? -1 : 1;
  return first.is_time ? strcmp(first.key, second.key) : ordered(left, left_length, right, right_length);
}

static int compare_instants(void *host, int left_length, const void *left, int right_length, const void *right) {
  return compare(host, 0, left_length, left, right_length, right);
}

static int compare_anything(void *host, int left_length, const void *left, int right_length, const void *right) {
  return compare(host, 1, left_length, left, right_length, right);
}

int complaint(Host *host, char **error) {
  if (!host->bad_time) return SQLITE_OK;
  say_and_free(error, host->bad_time);
  host->bad_time = NULL;
  return SQLITE_ERROR;
}

int add_collations(Host *host) {
  static const struct {
    const char *name;
    int (*compare)(void *, int, const void *, int, const void *);
  } collations[] = {{"INSTANT", compare_instants}, {"INSTANT_OR_TEXT", compare_anything}};
  int code = SQLITE_OK;
  for (int n = 0; n < 2 && code == SQLITE_OK; n++) {
    host->references++;
    code = sqlite3_create_collation_v2(host->db, collations[n].name, SQLITE_UTF8, host, collations[n].compare, host_release);
    if (code != SQLITE_OK) host_release(host); /* SQLite releases it for functions and modules that it does not take, and not here */
  }
  return code;
}
