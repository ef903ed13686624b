// Reads the 784 bytes of a 28x28 picture, ink bright on 0, over USB, and answers with the digit.
#include <stdio.h>

#include "digits.h"
#include "pico/stdio_usb.h"
#include "pico/stdlib.h"

static uint8_t pixels[DIGITS_PIXELS];
static int8_t scores[DIGITS_CLASSES];

int main(void) {
    stdio_init_all();
    sleep_ms(2000); // until the computer has opened the port
    stdio_set_translate_crlf(&stdio_usb, false);
    printf(digits_selftest() == 0 ? "ready\n" : "the self-test failed\n");
    while (true) {
        for (int i = 0; i < DIGITS_PIXELS; i++) {
            pixels[i] = (uint8_t)getchar();
        }
        int label = digits_classify(pixels, scores);
        printf("%s %d %%\n", label < 0 ? "error" : digits_labels[label],
               digits_confidence(scores, label));
    }
}
