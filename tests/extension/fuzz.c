/* Reads messages that are nearly right, and texts that are nearly times, so that AddressSanitizer can see what the readers do with them.
 *
 * fuzz SEED COUNT: the same seed is the same inputs. Every input is in memory of just its size.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instant.h"
#include "message.h"

static uint64_t state;

static uint32_t any(uint32_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)((state >> 16) % below);
}

/* A batch as the worker sends it, or another array of values. */
static void message(Writer *writer) {
  static const char *const texts[] = {"", "a", "2026-01-01 00:00:00", "a longer text than fits into the shortest form of one, by far"};
  uint32_t columns = any(6), rows = any(8);
  writer_begin(writer, 'b');
  write_array(writer, 4);
  write_integer(writer, any(3));
  write_array(writer, columns);
  for (uint32_t n = 0; n < columns; n++) write_integer(writer, any(70));
  write_integer(writer, any(3) ? 1 : any(70000));
  write_array(writer, rows);
  for (uint32_t row = 0; row < rows; row++) {
    write_array(writer, columns);
    for (uint32_t n = 0; n < columns; n++) {
      switch (any(7)) {
        case 0: write_null(writer); break;
        case 1: write_boolean(writer, (int)any(2)); break;
        case 2: write_integer(writer, (int64_t)any(1u << 31) * any(1u << 31)); break;
        case 3: write_unsigned(writer, UINT64_MAX - any(9)); break;
        case 4: write_real(writer, any(1000) / 7.0); break;
        case 5: write_blob(writer, "\0\1\2\3", any(5)); break;
        default: write_string(writer, texts[any(4)]);
      }
    }
  }
}

static void spoil(uint8_t *bytes, size_t length) {
  for (uint32_t times = any(4); times && length; times--) {
    size_t at = any((uint32_t)length);
    switch (any(3)) {
      case 0: bytes[at] ^= (uint8_t)(1u << any(8)); break;
      case 1: bytes[at] = (uint8_t)any(256); break;
      default: bytes[at] = (uint8_t)(0xc0 + any(0x40)); /* a tag */
    }
  }
}

static uint64_t seen;

static void look_at(const Value *value) {
  if (value->type == VALUE_TEXT || value->type == VALUE_BLOB)
    for (uint32_t n = 0; n < value->length; n++) seen += value->is.bytes[n];
  else if (value->type == VALUE_INTEGER) seen += (uint64_t)value->is.integer;
}

static void read_batch(const uint8_t *bytes, size_t length) {
  Reader reader = reader_of(bytes, length);
  Value cells[16];
  read_array(&reader);
  read_integer(&reader);
  Value columns = read_value(&reader);
  for (uint32_t n = 0; columns.type == VALUE_ARRAY && n < columns.length && !reader.bad; n++) read_integer(&reader);
  seen += (uint64_t)read_integer(&reader);
  uint32_t rows = read_array(&reader);
  for (uint32_t row = 0; row < rows && !reader.bad; row++) {
    if (columns.length <= 16 && read_row(&reader, cells, columns.length))
      for (uint32_t n = 0; n < columns.length; n++) look_at(&cells[n]);
    else if (columns.length > 16) break;
  }
  if (reader.at > reader.end || reader.at < bytes) abort();
}

static void read_anything(const uint8_t *bytes, size_t length) {
  Reader reader = reader_of(bytes, length);
  while (!reader.bad && reader.at < reader.end) {
    switch (any(4)) {
      case 0: {
        char *text = read_text(&reader);
        if (text) seen += strlen(text);
        free(text);
        break;
      }
      case 1: seen += read_real(&reader) > 0; break;
      default: {
        Value value = read_value(&reader);
        look_at(&value);
      }
    }
    if (reader.at > reader.end || reader.at < bytes) abort();
  }
}

/* The stream in pieces of any size, as a socket gives it. */
static void unframe(const uint8_t *bytes, size_t length) {
  Unframer unframer;
  memset(&unframer, 0, sizeof unframer);
  size_t at = 0, room;
  while (at < length) {
    uint8_t *place = unframer_room(&unframer, &room);
    if (!place) break;
    size_t count = 1 + any(40);
    if (count > room) count = room;
    if (count > length - at) count = length - at;
    memcpy(place, bytes + at, count);
    at += count;
    Frame *frame = unframer_took(&unframer, count);
    if (frame) {
      read_batch(frame->payload, frame->length);
      read_anything(frame->payload, frame->length);
      free(frame);
    }
  }
  unframer_clear(&unframer);
}

static void time_text(void) {
  static const char form[] = "2026-02-29T23:59:59.123456+00:00";
  static const char letters[] = "0123456789-:T .Z+";
  size_t length = any(sizeof form);
  char *text = malloc(length ? length : 1), key[INSTANT_KEY];
  memcpy(text, form, length);
  for (uint32_t times = any(3); times && length; times--) text[any((uint32_t)length)] = letters[any(sizeof letters - 1)];
  seen += (uint64_t)is_canonical(text, (int)length);
  if (usual_instant(text, (int)length, key) && strlen(key) != INSTANT_KEY - 1) abort();
  free(text);
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  state = strtoull(arguments[1], NULL, 10) * 2654435761u + 1;
  for (long left = strtol(arguments[2], NULL, 10); left > 0; left--) {
    Writer writer;
    message(&writer);
    writer_number(&writer, any(100));
    size_t length = writer.used;
    if (any(4) == 0) length -= any((uint32_t)length);
    uint8_t *input = malloc(length ? length : 1);
    memcpy(input, writer.bytes, length);
    /* The length of a frame is rarely spoiled: nothing behind it would be looked at. */
    size_t spared = any(8) && length > FRAME_HEADER ? FRAME_HEADER : 0;
    spoil(input + spared, length - spared);
    unframe(input, length);
    if (length > FRAME_HEADER) read_batch(input + FRAME_HEADER, length - FRAME_HEADER);
    free(input);
    writer_end(&writer);
    time_text();
  }
  printf("%llu\n", (unsigned long long)seen);
  return 0;
}
