// Reads the digit in the middle of the camera's picture, once a second: ESP32-CAM of AI Thinker.
#include <Arduino.h>
#include <esp_camera.h>

#include <digits.h>

static const int SIDE = 96; // pixels: the square in the middle that holds the digit

static uint8_t crop[SIDE * SIDE];
static uint8_t pixels[DIGITS_PIXELS];
static int8_t scores[DIGITS_CLASSES];

static bool start_camera() {
    camera_config_t config = {};
    config.pin_pwdn = 32;
    config.pin_reset = -1;
    config.pin_xclk = 0;
    config.pin_sccb_sda = 26;
    config.pin_sccb_scl = 27;
    config.pin_d7 = 35;
    config.pin_d6 = 34;
    config.pin_d5 = 39;
    config.pin_d4 = 36;
    config.pin_d3 = 21;
    config.pin_d2 = 19;
    config.pin_d1 = 18;
    config.pin_d0 = 5;
    config.pin_vsync = 25;
    config.pin_href = 23;
    config.pin_pclk = 22;
    config.ledc_timer = LEDC_TIMER_0;
    config.ledc_channel = LEDC_CHANNEL_0;
    config.xclk_freq_hz = 20000000;
    config.pixel_format = PIXFORMAT_GRAYSCALE;
    config.frame_size = FRAMESIZE_QQVGA; // 160x120
    config.fb_location = CAMERA_FB_IN_DRAM;
    config.fb_count = 1;
    config.grab_mode = CAMERA_GRAB_LATEST;
    return esp_camera_init(&config) == ESP_OK;
}

static void crop_middle(const camera_fb_t *frame) {
    int left = ((int)frame->width - SIDE) / 2, top = ((int)frame->height - SIDE) / 2;
    for (int y = 0; y < SIDE; y++) {
        memcpy(crop + y * SIDE, frame->buf + (top + y) * (int)frame->width + left, SIDE);
    }
}

void setup() {
    Serial.begin(115200);
    if (!start_camera()) {
        Serial.println("error: no camera");
    }
    if (digits_init() != 0) {
        Serial.println("error: digits_init failed");
    }
}

void loop() {
    camera_fb_t *frame = esp_camera_fb_get();
    if (frame != nullptr) {
        crop_middle(frame);
        esp_camera_fb_return(frame);
        digits_normalize_gray(crop, SIDE, SIDE, pixels);
        int label = digits_classify(pixels, scores);
        int sure = label < 0 ? 0 : digits_confidence(scores, label);
        bool readable = label >= 0 && label != DIGITS_NOT_A_DIGIT && sure >= DIGITS_MIN_CONFIDENCE;
        Serial.println(readable ? digits_labels[label] : "-");
    }
    delay(1000);
}
