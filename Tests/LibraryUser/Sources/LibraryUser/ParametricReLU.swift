import DistributedTraining

/// max(0, x) + slope · min(0, x), with a slope for each channel that is learned, 0 at first. He et al. (2015), equation 1.
final class ParametricReLU: Layer {
  let name: String
  let outputShape: FeatureShape
  var slopes: [Float]
  var inputLayout: ActivationLayout { ActivationLayout(shape: outputShape, border: 0) }
  var parameterShapes: [ParameterShape] { [ParameterShape(shape: [slopes.count], fanIn: 0)] }

  init(name: String, inputShape: FeatureShape) {
    (self.name, outputShape, slopes) = (name, inputShape, Array(repeating: 0, count: inputShape.channels))
  }

  func prepare(_ parameters: UnsafePointer<Float>) { for c in slopes.indices { slopes[c] = parameters[c] } }
  func makePass(_ ends: LayerConnection) -> LayerPass { ParametricReLUPass(self, ends) }
}

final class ParametricReLUPass: LayerPass {
  let layer: ParametricReLU
  let ends: LayerConnection
  init(_ layer: ParametricReLU, _ ends: LayerConnection) { (self.layer, self.ends) = (layer, ends) }

  func forward(_ group: SampleGroup) {
    layer.outputShape.forEachValue(of: group) { i, c, y, x in
      let value = ends.input[i, c, y, x]
      ends.output[i, c, y, x] = max(0, value) + layer.slopes[c] * min(0, value)
    }
  }

  func backward(_ group: SampleGroup, gradient: UnsafeMutablePointer<Float>) {
    if group.isFirst { gradient.update(repeating: 0, count: layer.slopes.count) }
    layer.outputShape.forEachValue(of: group) { i, c, y, x in
      let (value, change) = (ends.input[i, c, y, x], ends.outputGradient[i, c, y, x])
      gradient[c] += change * min(0, value)
      ends.inputGradient?[i, c, y, x] = change * (value > 0 ? 1 : ends.inputIsRectified ? 0 : layer.slopes[c])
    }
  }
}
