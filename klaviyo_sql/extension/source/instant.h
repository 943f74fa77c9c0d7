/* The order of times, as klaviyo_sql/model/timestamps.py defines it, for the texts that it needs no parser for. */
#ifndef KLAVIYO_INSTANT_H
#define KLAVIYO_INSTANT_H

enum { INSTANT_KEY = 27 };

/* Whether it is a time as time columns have them, by its form alone: YYYY-MM-DD HH:MM:SS, with or without six decimals. */
int is_canonical(const char *text, int length);
/* The instant as YYYY-MM-DD HH:MM:SS.ffffff in UTC, ended by a zero, of a text in one of the usual forms: a date, or a date and a time with T or a space between
 * them, with six decimals or none, in UTC (Z, +00:00 or nothing). 0 for every other text, which may be a time or not. */
int usual_instant(const char *text, int length, char key[INSTANT_KEY]);

#endif
