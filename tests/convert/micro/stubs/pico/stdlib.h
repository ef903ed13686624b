// Declarations of the Pico SDK, as far as the example uses them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct stdio_driver stdio_driver_t;

bool stdio_init_all(void);
void sleep_ms(uint32_t ms);
void stdio_set_translate_crlf(stdio_driver_t *driver, bool translate);
