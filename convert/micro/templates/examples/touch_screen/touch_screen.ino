// Reads a digit that a finger writes on a touch screen that TFT_eSPI drives: half a second after
// the finger is gone.
#include <Arduino.h>
#include <TFT_eSPI.h>

#include <digits.h>

static const int SIDE = 64; // pixels of the bitmap, over the whole screen
static const unsigned long PAUSE = 500; // milliseconds without a finger

static TFT_eSPI screen;
static uint8_t bits[SIDE * SIDE / 8];
static uint8_t work[SIDE * SIDE];
static uint8_t pixels[DIGITS_PIXELS];
static int8_t scores[DIGITS_CLASSES];
static unsigned long touched = 0; // when the finger was last there; 0: nothing is written

static void dot(int x, int y) {
    if (x >= 0 && x < SIDE && y >= 0 && y < SIDE) {
        bits[y * (SIDE / 8) + x / 8] |= 0x80 >> (x % 8);
    }
}

static void clear() {
    memset(bits, 0, sizeof bits);
    screen.fillScreen(TFT_BLACK);
    touched = 0;
}

static void show_digit() {
    digits_normalize_bitmap(bits, SIDE, SIDE, work, pixels);
    int label = digits_classify(pixels, scores);
    clear();
    screen.setCursor(0, 0);
    if (label >= 0) {
        screen.printf("%s  %d %%", digits_labels[label], digits_confidence(scores, label));
    }
}

void setup() {
    screen.init();
    screen.setTextSize(2);
    clear();
    if (digits_init() != 0) {
        screen.print("digits_init failed");
    }
}

void loop() {
    uint16_t x, y;
    if (screen.getTouch(&x, &y)) {
        int column = x * SIDE / screen.width(), row = y * SIDE / screen.height();
        for (int i = 0; i < 9; i++) { // a pen of three pixels
            dot(column + i % 3 - 1, row + i / 3 - 1);
        }
        screen.fillCircle(x, y, 4, TFT_WHITE);
        touched = millis();
    } else if (touched != 0 && millis() - touched > PAUSE) {
        show_digit();
    }
}
