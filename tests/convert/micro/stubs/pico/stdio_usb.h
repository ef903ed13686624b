#pragma once

#include "pico/stdlib.h"

extern stdio_driver_t stdio_usb;
