// Declarations of TFT_eSPI, as far as the example uses them.
#pragma once

#include <cstdint>

#define TFT_BLACK 0x0000
#define TFT_WHITE 0xFFFF

class TFT_eSPI {
  public:
    TFT_eSPI();
    void init();
    int16_t width();
    int16_t height();
    void setTextSize(uint8_t size);
    void setCursor(int16_t x, int16_t y);
    void fillScreen(uint32_t color);
    void fillCircle(int32_t x, int32_t y, int32_t radius, uint32_t color);
    uint8_t getTouch(uint16_t *x, uint16_t *y, uint16_t threshold = 600);
    size_t print(const char *text);
    size_t printf(const char *format, ...) __attribute__((format(printf, 2, 3)));
};
