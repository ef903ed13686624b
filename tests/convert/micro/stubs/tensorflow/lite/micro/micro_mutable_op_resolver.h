#pragma once

#include "tensorflow/lite/micro/micro_interpreter.h"

namespace tflite {

template <unsigned int count> class MicroMutableOpResolver : public MicroOpResolver {
  public:
    TfLiteStatus AddConv2D();
    TfLiteStatus AddExpandDims();
    TfLiteStatus AddFullyConnected();
    TfLiteStatus AddMaxPool2D();
    TfLiteStatus AddPack();
    TfLiteStatus AddQuantize();
    TfLiteStatus AddReshape();
    TfLiteStatus AddShape();
    TfLiteStatus AddStridedSlice();
};

} // namespace tflite
