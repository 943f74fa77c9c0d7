/* Messages of the worker process, read and written: msgpack, as klaviyo_sql/extension/wire.py describes it.
 *
 * Whatever the bytes are, a Reader never reads beyond its end: it becomes `bad`, and stays so. Nothing here knows SQLite, so that it can be fuzzed alone.
 */
#ifndef KLAVIYO_MESSAGE_H
#define KLAVIYO_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

typedef struct Reader {
  const uint8_t *at;
  const uint8_t *end;
  int bad; /* 1 when the bytes were not what was expected */
} Reader;

enum { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_BLOB, VALUE_ARRAY, VALUE_BAD };

typedef struct Value {
  int type;
  uint32_t length; /* bytes of a text or blob, elements of an array */
  union {
    int64_t integer; /* true and false are 1 and 0 */
    double real;
    const uint8_t *bytes; /* inside of the message, not ended by a zero */
  } is;
} Value;

Reader reader_of(const uint8_t *bytes, size_t length);
/* The next value; of an array only its length, its elements follow. */
Value read_value(Reader *reader);
/* The next value, which has to be of that kind: else the reader is bad and the result 0. */
int64_t read_integer(Reader *reader);
double read_real(Reader *reader);
uint32_t read_array(Reader *reader);
/* A copy of a text, ended by a zero, from malloc; NULL for NULL, or when there is no memory. */
char *read_text(Reader *reader);
/* One row: an array of exactly so many values, none of them an array. 0 when it is not that. */
int read_row(Reader *reader, Value *cells, uint32_t columns);

/* A request on its way: a frame of nine bytes, kind and number, and msgpack behind it. */
typedef struct Writer {
  uint8_t *bytes; /* from malloc */
  size_t used;
  size_t room;
  int failed; /* no memory */
} Writer;

enum { FRAME_HEADER = 9 };

void writer_begin(Writer *writer, uint8_t kind);
void writer_number(Writer *writer, uint32_t number);
void writer_end(Writer *writer);
void write_array(Writer *writer, uint32_t length);
void write_null(Writer *writer);
void write_boolean(Writer *writer, int value);
void write_integer(Writer *writer, int64_t value);
void write_unsigned(Writer *writer, uint64_t value);
void write_real(Writer *writer, double value);
void write_text(Writer *writer, const char *text, size_t length);
void write_string(Writer *writer, const char *text); /* ended by a zero; NULL is NULL */
void write_blob(Writer *writer, const void *bytes, size_t length);
void write_no_change(Writer *writer); /* a column that an UPDATE leaves alone: the extension type 1, without content */

/* Frames out of a stream, one after the other. */
typedef struct Frame {
  uint8_t kind;
  uint32_t number;
  uint32_t length; /* of the payload */
  uint8_t payload[];
} Frame;

typedef struct Unframer {
  uint8_t header[FRAME_HEADER];
  uint32_t have; /* bytes of the header, then of the payload, that have come */
  Frame *frame;
  int bad;
} Unframer;

enum { LONGEST_PAYLOAD = 1 << 30 };

/* Where the next bytes of the stream belong, and how many may be put there; NULL when the stream makes no sense or there is no memory. */
uint8_t *unframer_room(Unframer *unframer, size_t *room);
/* So many bytes were put there; the frame, from malloc, once it is complete. */
Frame *unframer_took(Unframer *unframer, size_t count);
void unframer_clear(Unframer *unframer);

#endif
