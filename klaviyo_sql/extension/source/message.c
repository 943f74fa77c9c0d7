#include "message.h"

#include <stdlib.h>
#include <string.h>

/* Reading */

Reader reader_of(const uint8_t *bytes, size_t length) {
  Reader reader = {bytes, bytes + length, 0};
  return reader;
}

static uint64_t big_endian(const uint8_t *bytes, int count) {
  uint64_t value = 0;
  for (int n = 0; n < count; n++) value = value << 8 | bytes[n];
  return value;
}

/* The next `count` bytes, or NULL when there are not so many. */
static const uint8_t *taken(Reader *reader, size_t count) {
  const uint8_t *at = reader->at;
  if (reader->bad || (size_t)(reader->end - at) < count) {
    reader->bad = 1;
    return NULL;
  }
  reader->at = at + count;
  return at;
}

static Value bad(Reader *reader) {
  Value value = {VALUE_BAD, 0, {0}};
  reader->bad = 1;
  return value;
}

static Value of_integer(int64_t integer) {
  Value value = {VALUE_INTEGER, 0, {.integer = integer}};
  return value;
}

static Value of_bytes(Reader *reader, int type, uint64_t length) {
  Value value = {type, (uint32_t)length, {0}};
  value.is.bytes = taken(reader, (size_t)length);
  return value.is.bytes ? value : bad(reader);
}

/* Text, blob or array whose length is in the next bytes. */
static Value measured(Reader *reader, int type, int bytes) {
  const uint8_t *at = taken(reader, (size_t)bytes);
  if (!at) return bad(reader);
  uint64_t length = big_endian(at, bytes);
  if (type != VALUE_ARRAY) return of_bytes(reader, type, length);
  /* Each element has a byte at least: a length that cannot be true is not counted through. */
  if (length > (uint64_t)(reader->end - reader->at)) return bad(reader);
  Value value = {VALUE_ARRAY, (uint32_t)length, {0}};
  return value;
}

Value read_value(Reader *reader) {
  Value value = {VALUE_NULL, 0, {0}};
  const uint8_t *at = taken(reader, 1);
  if (!at) return bad(reader);
  uint8_t tag = *at;
  if (tag < 0x80) return of_integer(tag);
  if (tag >= 0xe0) return of_integer((int8_t)tag);
  if (tag >= 0xa0 && tag < 0xc0) return of_bytes(reader, VALUE_TEXT, tag & 0x1f);
  if (tag >= 0x90 && tag < 0xa0) {
    value.type = VALUE_ARRAY;
    value.length = tag & 0x0f;
    return value.length > (size_t)(reader->end - reader->at) ? bad(reader) : value;
  }
  switch (tag) {
    case 0xc0: return value;
    case 0xc2: return of_integer(0);
    case 0xc3: return of_integer(1);
    case 0xc4: return measured(reader, VALUE_BLOB, 1);
    case 0xc5: return measured(reader, VALUE_BLOB, 2);
    case 0xc6: return measured(reader, VALUE_BLOB, 4);
    case 0xca:
    case 0xcb: {
      at = taken(reader, tag == 0xca ? 4 : 8);
      if (!at) return bad(reader);
      value.type = VALUE_REAL;
      if (tag == 0xca) {
        uint32_t bits = (uint32_t)big_endian(at, 4);
        float real;
        memcpy(&real, &bits, 4);
        value.is.real = real;
      } else {
        uint64_t bits = big_endian(at, 8);
        memcpy(&value.is.real, &bits, 8);
      }
      return value;
    }
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf: {
      int bytes = 1 << (tag - 0xcc);
      at = taken(reader, (size_t)bytes);
      if (!at) return bad(reader);
      uint64_t number = big_endian(at, bytes);
      return number > INT64_MAX ? bad(reader) : of_integer((int64_t)number);
    }
    case 0xd0: return (at = taken(reader, 1)) ? of_integer((int8_t)*at) : bad(reader);
    case 0xd1: return (at = taken(reader, 2)) ? of_integer((int16_t)big_endian(at, 2)) : bad(reader);
    case 0xd2: return (at = taken(reader, 4)) ? of_integer((int32_t)big_endian(at, 4)) : bad(reader);
    case 0xd3: return (at = taken(reader, 8)) ? of_integer((int64_t)big_endian(at, 8)) : bad(reader);
    case 0xd9: return measured(reader, VALUE_TEXT, 1);
    case 0xda: return measured(reader, VALUE_TEXT, 2);
    case 0xdb: return measured(reader, VALUE_TEXT, 4);
    case 0xdc: return measured(reader, VALUE_ARRAY, 2);
    case 0xdd: return measured(reader, VALUE_ARRAY, 4);
    default: return bad(reader); /* maps and extension types, which the worker does not send */
  }
}

int64_t read_integer(Reader *reader) {
  Value value = read_value(reader);
  if (value.type == VALUE_INTEGER) return value.is.integer;
  reader->bad = 1;
  return 0;
}

double read_real(Reader *reader) {
  Value value = read_value(reader);
  if (value.type == VALUE_REAL) return value.is.real;
  if (value.type == VALUE_INTEGER) return (double)value.is.integer;
  reader->bad = 1;
  return 0;
}

uint32_t read_array(Reader *reader) {
  Value value = read_value(reader);
  if (value.type == VALUE_ARRAY) return value.length;
  reader->bad = 1;
  return 0;
}

char *read_text(Reader *reader) {
  Value value = read_value(reader);
  if (value.type == VALUE_NULL) return NULL;
  if (value.type != VALUE_TEXT) {
    reader->bad = 1;
    return NULL;
  }
  char *text = malloc((size_t)value.length + 1);
  if (!text) return NULL;
  memcpy(text, value.is.bytes, value.length);
  text[value.length] = 0;
  return text;
}

int read_row(Reader *reader, Value *cells, uint32_t columns) {
  if (read_array(reader) != columns || reader->bad) {
    reader->bad = 1;
    return 0;
  }
  for (uint32_t n = 0; n < columns; n++) {
    cells[n] = read_value(reader);
    if (cells[n].type >= VALUE_ARRAY) {
      reader->bad = 1;
      return 0;
    }
  }
  return 1;
}

/* Writing */

static uint8_t *grown(Writer *writer, size_t count) {
  if (writer->failed) return NULL;
  if (writer->room - writer->used < count) {
    size_t room = writer->room ? writer->room : 256;
    while (room - writer->used < count) room *= 2;
    uint8_t *bytes = realloc(writer->bytes, room);
    if (!bytes) {
      writer->failed = 1;
      return NULL;
    }
    writer->bytes = bytes;
    writer->room = room;
  }
  uint8_t *at = writer->bytes + writer->used;
  writer->used += count;
  return at;
}

/* A tag and a number behind it, most significant byte first. */
static void tagged(Writer *writer, uint8_t tag, uint64_t number, int bytes) {
  uint8_t *at = grown(writer, (size_t)bytes + 1);
  if (!at) return;
  *at++ = tag;
  for (int n = bytes - 1; n >= 0; n--) *at++ = (uint8_t)(number >> 8 * n);
}

void writer_begin(Writer *writer, uint8_t kind) {
  memset(writer, 0, sizeof *writer);
  uint8_t *header = grown(writer, FRAME_HEADER);
  if (header) header[4] = kind;
}

void writer_number(Writer *writer, uint32_t number) {
  if (writer->failed) return;
  uint32_t length = (uint32_t)(writer->used - 4);
  for (int n = 0; n < 4; n++) {
    writer->bytes[n] = (uint8_t)(length >> 8 * n);
    writer->bytes[5 + n] = (uint8_t)(number >> 8 * n);
  }
}

void writer_end(Writer *writer) {
  free(writer->bytes);
  memset(writer, 0, sizeof *writer);
}

void write_array(Writer *writer, uint32_t length) { tagged(writer, 0xdd, length, 4); }
void write_null(Writer *writer) { tagged(writer, 0xc0, 0, 0); }
void write_boolean(Writer *writer, int value) { tagged(writer, value ? 0xc3 : 0xc2, 0, 0); }
void write_integer(Writer *writer, int64_t value) { tagged(writer, 0xd3, (uint64_t)value, 8); }
void write_unsigned(Writer *writer, uint64_t value) { tagged(writer, 0xcf, value, 8); }

void write_real(Writer *writer, double value) {
  uint64_t bits;
  memcpy(&bits, &value, 8);
  tagged(writer, 0xcb, bits, 8);
}

static void sized(Writer *writer, uint8_t tag, const void *bytes, size_t length) {
  if (length > LONGEST_PAYLOAD) {
    writer->failed = 1;
    return;
  }
  tagged(writer, tag, length, 4);
  uint8_t *at = grown(writer, length);
  if (at && length) memcpy(at, bytes, length);
}

void write_text(Writer *writer, const char *text, size_t length) { sized(writer, 0xdb, text, length); }
void write_blob(Writer *writer, const void *bytes, size_t length) { sized(writer, 0xc6, bytes, length); }

void write_string(Writer *writer, const char *text) {
  if (text) write_text(writer, text, strlen(text));
  else write_null(writer);
}

void write_no_change(Writer *writer) { tagged(writer, 0xc7, 0x0001, 2); }

/* Frames */

uint8_t *unframer_room(Unframer *unframer, size_t *room) {
  if (unframer->bad) return NULL;
  if (!unframer->frame) {
    *room = FRAME_HEADER - unframer->have;
    return unframer->header + unframer->have;
  }
  *room = unframer->frame->length - unframer->have;
  return unframer->frame->payload + unframer->have;
}

Frame *unframer_took(Unframer *unframer, size_t count) {
  unframer->have += (uint32_t)count;
  if (!unframer->frame) {
    const uint8_t *header = unframer->header;
    if (unframer->have < FRAME_HEADER) return NULL;
    uint32_t length = header[0] | header[1] << 8 | header[2] << 16 | (uint32_t)header[3] << 24;
    Frame *frame = length < 5 || length - 5 > LONGEST_PAYLOAD ? NULL : malloc(sizeof *frame + length - 5);
    if (!frame) {
      unframer->bad = 1;
      return NULL;
    }
    frame->kind = header[4];
    frame->number = header[5] | header[6] << 8 | header[7] << 16 | (uint32_t)header[8] << 24;
    frame->length = length - 5;
    unframer->frame = frame;
    unframer->have = 0;
  }
  if (unframer->have < unframer->frame->length) return NULL;
  Frame *frame = unframer->frame;
  unframer->frame = NULL;
  unframer->have = 0;
  return frame;
}

void unframer_clear(Unframer *unframer) {
  free(unframer->frame);
  memset(unframer, 0, sizeof *unframer);
}
