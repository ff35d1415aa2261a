import Arithmetic
import Testing

@testable import NeuralNetwork

@Suite struct ParameterPrecisionTests {
  /// What the passes see is what is left of the weights in so many bits; what an optimizer changes is not touched.
  @Test(arguments: [ParameterPrecision.float16, .bfloat16]) func thePassesSeeRoundedWeights(
    precision: ParameterPrecision
  ) throws {
    let test = try TestNetwork(
      inputShape: FeatureShape(channels: 1, height: 8, width: 8),
      layers: [
        .convolution(filters: 8, size: 3, padding: 1, stride: 1), .relu, .maxPooling(size: 2, stride: 2),
        .affine(outputs: 16), .relu, .affine(outputs: 10),
      ],
      samples: 7, seed: 5)
    let samples = Array(0..<UInt32(7))
    let parameters = test.network.parameters
    let values = UnsafeMutableBufferPointer(start: parameters.values, count: parameters.count)
    let before = Array(values)
    let plain = (test.scores(of: samples).scores, test.gradient(of: samples).gradient)

    test.network.precision = precision
    test.network.prepareParameters()
    let rounded = (test.scores(of: samples).scores, test.gradient(of: samples).gradient)
    #expect(Array(values) == before)
    #expect(rounded != plain)

    test.network.precision = .float32
    for index in values.indices {
      values[index] =
        precision == .float16
        ? HalfPrecision.float(float16: HalfPrecision.float16(before[index]))
        : HalfPrecision.float(bfloat16: HalfPrecision.bfloat16(before[index]))
    }
    test.network.prepareParameters()
    #expect(test.scores(of: samples).scores == rounded.0)
    #expect(test.gradient(of: samples).gradient == rounded.1)
  }
}
