#include "instant.h"

#include <string.h>

/* Whether the text has the form, in which 0 stands for any digit and T for T or a space. */
static int has_form(const char *text, const char *form) {
  for (; *form; form++, text++) {
    if (*form == '0' ? *text < '0' || *text > '9' : *form == 'T' ? *text != 'T' && *text != ' ' : *text != *form) return 0;
  }
  return 1;
}

int is_canonical(const char *text, int length) {
  if (length == 19) return text[10] == ' ' && has_form(text, "0000-00-00T00:00:00");
  return length == 26 && text[10] == ' ' && has_form(text, "0000-00-00T00:00:00.000000");
}

static int number(const char *digits, int count) {
  int value = 0;
  while (count-- > 0) value = value * 10 + (*digits++ - '0');
  return value;
}

static int is_day(const char *date) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int year = number(date, 4), month = number(date + 5, 2), day = number(date + 8, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1) return 0;
  int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= days[month - 1] + (month == 2 && leap);
}

int usual_instant(const char *text, int length, char key[INSTANT_KEY]) {
  if (length < 10 || !has_form(text, "0000-00-00") || !is_day(text)) return 0;
  memcpy(key, "0000-00-00 00:00:00.000000", INSTANT_KEY);
  memcpy(key, text, 10);
  if (length == 10) return 1;
  if (length < 19 || !has_form(text + 10, "T00:00:00")) return 0;
  if (number(text + 11, 2) > 23 || number(text + 14, 2) > 59 || number(text + 17, 2) > 59) return 0;
  memcpy(key + 11, text + 11, 8);
  text += 19;
  length -= 19;
  if (length >= 7 && has_form(text, ".000000")) {
    memcpy(key + 20, text + 1, 6);
    text += 7;
    length -= 7;
  }
  return length == 0 || (length == 1 && *text == 'Z') || (length == 6 && memcmp(text, "+00:00", 6) == 0);
}
