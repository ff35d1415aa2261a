import Kernels
import WideKernels

/// Winograd's kernels in the width of this processor's vectors. Each does what the function of its name in `Kernels` does,
/// with the same bits.
///
/// WideKernels takes the blocks of 8 channels in pairs, and serves where both sides of a layer have an even number.
struct WinogradKernels {
  private let isWide: Bool

  init(inputBlocks: Int, outputBlocks: Int) {
    isWide = VectorWidth.used == .bits512 && inputBlocks.isMultiple(of: 2) && outputBlocks.isMultiple(of: 2)
  }

  func inputTransform(
    _ plane: WinogradPlane, source: UnsafePointer<Float>, destination: UnsafeMutablePointer<Float>, channels: Int,
    frequencyStride: Int, scratch: UnsafeMutablePointer<Float>, zeroRow: UnsafePointer<Float>
  ) {
    if isWide {
      WideKernels.winogradInputTransform(
        plane, source: source, destination: destination, channels: channels, frequencyStride: frequencyStride,
        scratch: scratch, zeroRow: zeroRow)
    } else {
      Kernels.winogradInputTransform(
        plane, source: source, destination: destination, channels: channels, frequencyStride: frequencyStride,
        scratch: scratch, zeroRow: zeroRow)
    }
  }

  func product(
    _ shape: WinogradProductShape, inputs: UnsafePointer<Float>, weights: UnsafePointer<Float>,
    products: UnsafeMutablePointer<Float>
  ) {
    if isWide {
      WideKernels.winogradProduct(shape, inputs: inputs, weights: weights, products: products)
    } else {
      Kernels.winogradProduct(shape, inputs: inputs, weights: weights, products: products)
    }
  }

  func outputTransform(
    _ plane: WinogradPlane, products: UnsafePointer<Float>, channels: Int, frequencyStride: Int,
    destination: UnsafeMutablePointer<Float>, epilogue: WinogradEpilogue, scratch: UnsafeMutablePointer<Float>
  ) {
    if isWide {
      WideKernels.winogradOutputTransform(
        plane, products: products, channels: channels, frequencyStride: frequencyStride, destination: destination,
        epilogue: epilogue, scratch: scratch)
    } else {
      Kernels.winogradOutputTransform(
        plane, products: products, channels: channels, frequencyStride: frequencyStride, destination: destination,
        epilogue: epilogue, scratch: scratch)
    }
  }

  func pooledOutputTransform(
    _ plane: WinogradPlane, products: UnsafePointer<Float>, channels: Int, frequencyStride: Int,
    bias: UnsafePointer<Float>, destination: UnsafeMutablePointer<Float>, places: UnsafeMutablePointer<Int32>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    if isWide {
      WideKernels.winogradPooledOutputTransform(
        plane, products: products, channels: channels, frequencyStride: frequencyStride, bias: bias,
        destination: destination, places: places, scratch: scratch)
    } else {
      Kernels.winogradPooledOutputTransform(
        plane, products: products, channels: channels, frequencyStride: frequencyStride, bias: bias,
        destination: destination, places: places, scratch: scratch)
    }
  }

  func inputGradientTransform(
    _ plane: WinogradPlane, padding: Int, products: UnsafePointer<Float>, channels: Int, frequencyStride: Int,
    destination: UnsafeMutablePointer<Float>, mask: WinogradMask?, scratch: UnsafeMutablePointer<Float>
  ) {
    if isWide {
      WideKernels.winogradInputGradientTransform(
        plane, padding: padding, products: products, channels: channels, frequencyStride: frequencyStride,
        destination: destination, mask: mask, scratch: scratch)
    } else {
      Kernels.winogradInputGradientTransform(
        plane, padding: padding, products: products, channels: channels, frequencyStride: frequencyStride,
        destination: destination, mask: mask, scratch: scratch)
    }
  }

  func gradientTransform(
    _ plane: WinogradPlane, source: UnsafePointer<Float>, destination: UnsafeMutablePointer<Float>, channels: Int,
    frequencyStride: Int, biasGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    zeroRow: UnsafePointer<Float>
  ) {
    if isWide {
      WideKernels.winogradGradientTransform(
        plane, source: source, destination: destination, channels: channels, frequencyStride: frequencyStride,
        biasGradient: biasGradient, scratch: scratch, zeroRow: zeroRow)
    } else {
      Kernels.winogradGradientTransform(
        plane, source: source, destination: destination, channels: channels, frequencyStride: frequencyStride,
        biasGradient: biasGradient, scratch: scratch, zeroRow: zeroRow)
    }
  }

  func pooledGradientTransform(
    _ plane: WinogradPlane, source: UnsafePointer<Float>, places: UnsafePointer<Int32>,
    destination: UnsafeMutablePointer<Float>, channels: Int, frequencyStride: Int,
    biasGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    if isWide {
      WideKernels.winogradPooledGradientTransform(
        plane, source: source, places: places, destination: destination, channels: channels,
        frequencyStride: frequencyStride, biasGradient: biasGradient, scratch: scratch)
    } else {
      Kernels.winogradPooledGradientTransform(
        plane, source: source, places: places, destination: destination, channels: channels,
        frequencyStride: frequencyStride, biasGradient: biasGradient, scratch: scratch)
    }
  }

  func weightGradient(
    _ shape: WinogradProductShape, inputs: UnsafePointer<Float>, gradients: UnsafePointer<Float>, channels: Int,
    filters: Int, block: UnsafeMutablePointer<Float>, panels: UnsafeMutablePointer<Float>,
    matrix: UnsafeMutablePointer<Float>
  ) {
    if isWide {
      WideKernels.winogradWeightGradient(
        shape, inputs: inputs, gradients: gradients, channels: channels, filters: filters, block: block,
        panels: panels, matrix: matrix)
    } else {
      Kernels.winogradWeightGradient(
        shape, inputs: inputs, gradients: gradients, channels: channels, filters: filters, block: block,
        panels: panels, matrix: matrix)
    }
  }

  func weightGradientProduct(
    _ shape: WinogradProductShape, inputs: UnsafePointer<Float>, gradients: UnsafePointer<Float>,
    weightGradients: UnsafeMutablePointer<Float>, adding: Bool
  ) {
    if isWide {
      WideKernels.winogradWeightGradientProduct(
        shape, inputs: inputs, gradients: gradients, weightGradients: weightGradients, adding: adding)
    } else {
      Kernels.winogradWeightGradientProduct(
        shape, inputs: inputs, gradients: gradients, weightGradients: weightGradients, adding: adding)
    }
  }

  func weightTransform(
    panels: UnsafePointer<Float>, inputChannels: Int, paddedInputChannels: Int, outputBlocks: Int,
    weights: UnsafeMutablePointer<Float>, frequencyStride: Int
  ) {
    if isWide {
      WideKernels.winogradWeightTransform(
        panels: panels, inputChannels: inputChannels, paddedInputChannels: paddedInputChannels,
        outputBlocks: outputBlocks, weights: weights, frequencyStride: frequencyStride)
    } else {
      Kernels.winogradWeightTransform(
        panels: panels, inputChannels: inputChannels, paddedInputChannels: paddedInputChannels,
        outputBlocks: outputBlocks, weights: weights, frequencyStride: frequencyStride)
    }
  }

  func weightGradientTransform(
    gradients: UnsafePointer<Float>, inputChannels: Int, paddedInputChannels: Int, filters: Int,
    frequencyStride: Int, panels: UnsafeMutablePointer<Float>, matrix: UnsafeMutablePointer<Float>
  ) {
    if isWide {
      WideKernels.winogradWeightGradientTransform(
        gradients: gradients, inputChannels: inputChannels, paddedInputChannels: paddedInputChannels,
        filters: filters, frequencyStride: frequencyStride, panels: panels, matrix: matrix,
        rowStride: inputChannels * 9)
    } else {
      Kernels.winogradWeightGradientTransform(
        gradients: gradients, inputChannels: inputChannels, paddedInputChannels: paddedInputChannels,
        filters: filters, frequencyStride: frequencyStride, panels: panels, matrix: matrix,
        rowStride: inputChannels * 9)
    }
  }
}
