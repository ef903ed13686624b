// Reads the 784 bytes of a 28x28 picture, ink bright on 0, from the serial port, and answers with
// the digit. `docs/microcontrollers.md` has the other end.
#include <Arduino.h>

#include <digits.h>

static uint8_t pixels[DIGITS_PIXELS];
static int8_t scores[DIGITS_CLASSES];

void setup() {
    Serial.begin(115200);
    Serial.setTimeout(5000); // milliseconds for a whole picture
    int wrong = digits_selftest();
    Serial.println(wrong == 0 ? "ready" : "the self-test failed");
}

void loop() {
    if (!Serial.available() || Serial.readBytes((char *)pixels, sizeof pixels) != sizeof pixels) {
        return;
    }
    int label = digits_classify(pixels, scores);
    if (label < 0) {
        Serial.println("error: digits_init failed");
        return;
    }
    Serial.print(digits_labels[label]);
    Serial.print(" ");
    Serial.print(digits_confidence(scores, label));
    Serial.println(" %");
}
