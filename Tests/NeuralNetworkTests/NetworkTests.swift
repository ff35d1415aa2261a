import Arithmetic
import Failures
import NeuralNetwork
import Testing

/// Rounding of float, with room for the chains of sums in these small networks.
private let tolerance = 2e-5

@Suite struct NetworkTests {
  @Test(arguments: 0..<40)
  func scoresOfRandomNetworksAreThoseOfTheReference(seed: Int) throws {
    var random = RandomStream(seed: UInt64(seed), purpose: .test, layer: 1)
    let shape = FeatureShape(
      channels: [1, 1, 3, 9][Int(random.next(below: 4))], height: Int(random.next(below: 14)) + 5,
      width: Int(random.next(below: 14)) + 5)
    let test = try TestNetwork(
      inputShape: shape, layers: randomLayers(&random, inputShape: shape), samples: 7, seed: UInt64(seed))
    let (scores, statistics) = test.scores(of: (0..<7).map { $0 })
    var correct = 0
    for sample in 0..<7 {
      let expected = test.reference.scores(
        parameters: test.parameters, image: test.referenceImages[sample], sample: UInt32(sample), mode: .prediction)
      let largest = expected.map { abs($0) }.max() ?? 0
      for (score, value) in zip(scores[sample], expected) {
        #expect(abs(Double(score) - value) <= tolerance * max(1, largest))
      }
      if scores[sample].firstIndex(of: scores[sample].max() ?? 0) == test.labels[sample] { correct += 1 }
    }
    let loss = test.reference.lossSum(
      parameters: test.parameters, images: test.referenceImages, labels: test.labels, mode: .prediction)
    #expect(abs(statistics.lossSum - loss) <= 1e-4 * max(1, loss))
    #expect(statistics.correct == correct)
  }

  @Test(arguments: 0..<24)
  func gradientsOfRandomNetworksAreThoseOfNumericalDifferentiation(seed: Int) throws {
    var random = RandomStream(seed: UInt64(seed), purpose: .test, layer: 2)
    let shape = FeatureShape(
      channels: [1, 3, 9][Int(random.next(below: 3))], height: Int(random.next(below: 7)) + 5,
      width: Int(random.next(below: 7)) + 5)
    let test = try TestNetwork(
      inputShape: shape, layers: randomLayers(&random, inputShape: shape), samples: 3, seed: UInt64(seed),
      fused: seed % 3 != 0)
    let places = (0..<80).map { _ in Int(random.next(below: UInt32(test.network.parameters.count))) }
    #expect(test.gradientError(places: places) <= 1e-4)
  }

  /// Each layer alone between what it needs to be a network.
  @Test(
    arguments: [
      [.convolution(filters: 3, size: 3, padding: 1, stride: 1)],
      [
        .convolution(filters: 9, size: 1, padding: 0, stride: 1),
        .convolution(filters: 5, size: 3, padding: 1, stride: 1),
      ],
      [
        .convolution(filters: 8, size: 1, padding: 0, stride: 1),
        .convolution(filters: 5, size: 3, padding: 2, stride: 1),
      ],
      [
        .convolution(filters: 8, size: 1, padding: 0, stride: 1),
        .convolution(filters: 5, size: 3, padding: 0, stride: 1),
      ],
      [
        .convolution(filters: 8, size: 1, padding: 0, stride: 1),
        .convolution(filters: 17, size: 3, padding: 1, stride: 2),
      ],
      [
        .convolution(filters: 4, size: 1, padding: 0, stride: 1),
        .convolution(filters: 4, size: 2, padding: 1, stride: 2),
      ],
      [.convolution(filters: 4, size: 1, padding: 0, stride: 1), .relu],
      [.convolution(filters: 4, size: 1, padding: 0, stride: 1), .maxPooling(size: 2, stride: 2)],
      [.convolution(filters: 4, size: 1, padding: 0, stride: 1), .relu, .maxPooling(size: 3, stride: 1)],
      [.affine(outputs: 6), .relu],
      [.affine(outputs: 16), .dropout(ratio: 0.5, form: .book)],
      [.affine(outputs: 6), .dropout(ratio: 0.25, form: .inverted)],
    ] as [[LayerDescription]])
  func gradientsOfEachLayerAreThoseOfNumericalDifferentiation(layers: [LayerDescription]) throws {
    let test = try TestNetwork(
      inputShape: FeatureShape(channels: 1, height: 8, width: 7), layers: layers + [.affine(outputs: 3)],
      samples: 3, seed: 11)
    #expect(test.gradientError() <= 1e-4)
  }

  /// A group of these images has more transformed inputs than a convolution keeps from the forward pass.
  @Test func gradientsOfLargeImagesAreThoseOfNumericalDifferentiation() throws {
    let test = try TestNetwork(
      inputShape: FeatureShape(channels: 1, height: 70, width: 66),
      layers: [
        .convolution(filters: 16, size: 3, padding: 1, stride: 1), .relu,
        .convolution(filters: 16, size: 3, padding: 1, stride: 1), .relu, .maxPooling(size: 2, stride: 2),
        .affine(outputs: 3),
      ], samples: 2, seed: 21)
    let places = stride(from: 7, to: 16 * 10 + 16 * 16 * 9, by: 223)
    #expect(test.gradientError(places: Array(places)) <= 1e-4)
  }

  /// What is rectified last is masked too.
  @Test(
    arguments: [
      [.affine(outputs: 5), .relu],
      [.convolution(filters: 3, size: 5, padding: 0, stride: 1), .relu],
      [
        .convolution(filters: 4, size: 2, padding: 0, stride: 1),
        .convolution(filters: 3, size: 4, padding: 0, stride: 1), .relu,
      ],
    ] as [[LayerDescription]])
  func gradientsOfANetworkThatEndsInAReLUAreThoseOfNumericalDifferentiation(layers: [LayerDescription]) throws {
    let test = try TestNetwork(
      inputShape: FeatureShape(channels: 1, height: 5, width: 5), layers: layers, samples: 7, seed: 3)
    #expect(test.gradientError() <= 1e-4)
  }

  /// A gradient that is written over an activation leaves the same bits as one beside it, and nothing behind: not for the
  /// next group, not for another microbatch, not for a prediction.
  @Test(arguments: 0..<40)
  func gradientsWrittenOverActivationsChangeNoBit(seed: Int) throws {
    var random = RandomStream(seed: UInt64(seed), purpose: .test, layer: 3)
    let shape = FeatureShape(
      channels: [1, 3, 9][Int(random.next(below: 3))], height: Int(random.next(below: 14)) + 5,
      width: Int(random.next(below: 14)) + 5)
    let layers = randomLayers(&random, inputShape: shape)
    let fused = try TestNetwork(inputShape: shape, layers: layers, samples: 12, seed: UInt64(seed))
    let plain = try TestNetwork(inputShape: shape, layers: layers, samples: 12, seed: UInt64(seed), fused: false)
    let workspace = fused.network.makeWorkspace()
    let (first, second) = ((0..<11).map { UInt32($0) }, [UInt32(11)] + (0..<6).map { UInt32($0) })
    let gradient = fused.gradient(of: first, in: workspace).gradient
    #expect(gradient == plain.gradient(of: first).gradient)
    #expect(fused.gradient(of: second, in: workspace).gradient == plain.gradient(of: second).gradient)
    let scores = fused.scores(of: first, in: workspace).scores
    #expect(scores == plain.scores(of: first).scores)
    #expect(fused.gradient(of: first, in: workspace).gradient == gradient)
  }

  @Test func fusingChangesNoScore() throws {
    let shape = FeatureShape(channels: 1, height: 16, width: 20)
    let layers: [LayerDescription] = [
      .convolution(filters: 12, size: 3, padding: 1, stride: 1), .relu,
      .convolution(filters: 16, size: 3, padding: 1, stride: 1), .relu, .maxPooling(size: 2, stride: 2),
      .affine(outputs: 9), .relu, .affine(outputs: 4),
    ]
    let fused = try TestNetwork(inputShape: shape, layers: layers, samples: 6, seed: 5)
    let plain = try TestNetwork(inputShape: shape, layers: layers, samples: 6, seed: 5, fused: false)
    #expect(fused.network.segment.layers.count < plain.network.segment.layers.count)
    let samples = (0..<6).map { UInt32($0) }
    #expect(fused.scores(of: samples).scores == plain.scores(of: samples).scores)
    #expect(fused.gradient(of: samples).gradient == plain.gradient(of: samples).gradient)
  }

  @Test func aSampleHasTheSameScoresInWhateverCompany() throws {
    let shape = FeatureShape(channels: 1, height: 12, width: 12)
    var random = RandomStream(seed: 8, purpose: .test)
    let test = try TestNetwork(
      inputShape: shape, layers: randomLayers(&random, inputShape: shape), samples: 13, seed: 8)
    let together = test.scores(of: (0..<13).map { $0 }).scores
    for sample in 0..<13 { #expect(test.scores(of: [UInt32(sample)]).scores[0] == together[sample]) }
  }

  @Test func aMicrobatchHasTheSameGradientInAnyWorkspaceAtAnyTime() throws {
    let shape = FeatureShape(channels: 1, height: 12, width: 12)
    let test = try TestNetwork(
      inputShape: shape,
      layers: [
        .convolution(filters: 16, size: 3, padding: 1, stride: 1), .relu,
        .convolution(filters: 16, size: 3, padding: 1, stride: 1), .relu, .maxPooling(size: 2, stride: 2),
        .affine(outputs: 10), .dropout(ratio: 0.5, form: .book),
      ], samples: 20, seed: 2)
    let used = test.network.makeWorkspace()
    let first = test.gradient(of: [4, 9, 2, 7, 1, 0, 3], in: used)
    let other = test.gradient(of: [11, 12, 13, 14], in: used)
    let again = test.gradient(of: [4, 9, 2, 7, 1, 0, 3], in: used)
    let fresh = test.gradient(of: [4, 9, 2, 7, 1, 0, 3])
    #expect(first.gradient == again.gradient)
    #expect(first.gradient == fresh.gradient)
    #expect(first.statistics == fresh.statistics)
    #expect(first.gradient != other.gradient)
  }

  @Test func dropoutDiffersBetweenEpochsAndSamplesOnly() throws {
    let test = try TestNetwork(
      inputShape: FeatureShape(channels: 1, height: 4, width: 4),
      layers: [.affine(outputs: 40), .dropout(ratio: 0.5, form: .book), .affine(outputs: 3)], samples: 4, seed: 1)
    #expect(test.gradient(of: [0], epoch: 0).gradient == test.gradient(of: [0], epoch: 0).gradient)
    #expect(test.gradient(of: [0], epoch: 0).gradient != test.gradient(of: [0], epoch: 1).gradient)
    // The bias behind dropout sees half of its 40 values: more than none, fewer than all, for each sample.
    for sample in 0..<4 {
      let bias = test.gradient(of: [UInt32(sample)]).gradient[640..<680]
      #expect(bias.contains(0))
      #expect(bias.contains { $0 != 0 })
    }
  }

  @Test func initialWeightsAreHes() throws {
    let network = try Network(
      inputShape: FeatureShape(channels: 1, height: 28, width: 28),
      layers: [
        .convolution(filters: 32, size: 3, padding: 1, stride: 1), .relu,
        .convolution(filters: 64, size: 3, padding: 1, stride: 1), .relu, .affine(outputs: 10),
      ])
    network.parameters.initialize(seed: 7)
    for (name, fanIn) in [("W1", 9.0), ("W2", 288), ("W3", 50176)] {
      let tensor = try #require(network.parameters.tensor(named: name))
      let values = network.parameters.values(of: tensor).map { Double($0) }
      let mean = values.reduce(0, +) / Double(values.count)
      let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
      let expected = (2 / fanIn).squareRoot()
      // Four standard errors.
      #expect(abs(deviation / expected - 1) < 4 / (2 * Double(values.count)).squareRoot())
      #expect(abs(mean / expected) < 4 / Double(values.count).squareRoot())
    }
    for name in ["b1", "b2", "b3"] {
      let tensor = try #require(network.parameters.tensor(named: name))
      #expect(network.parameters.values(of: tensor).allSatisfy { $0 == 0 })
    }
  }

  @Test func layersThatDoNotFitAreRefused() {
    let shape = FeatureShape(channels: 1, height: 6, width: 6)
    for layers: [LayerDescription] in [
      [.convolution(filters: 4, size: 9, padding: 1, stride: 1), .affine(outputs: 2)],
      [.maxPooling(size: 7, stride: 1), .affine(outputs: 2)],
      [.convolution(filters: 4, size: 3, padding: 1, stride: 0), .affine(outputs: 2)],
      [.affine(outputs: 0)],
      [.dropout(ratio: 1, form: .book), .affine(outputs: 2)],
      [.convolution(filters: 4, size: 3, padding: 1, stride: 1)],
      [],
    ] {
      #expect {
        try Network(inputShape: shape, layers: layers)
      } throws: { ($0 as? Failure)?.code == .configuration }
    }
  }

  @Test func aNetworkThatNoMemoryHoldsIsRefusedBeforeItIsMade() {
    for layers: [LayerDescription] in [
      [.affine(outputs: 1_000_000), .affine(outputs: 1_000_000), .affine(outputs: 2)],
      [.convolution(filters: 4096, size: 3, padding: 1, stride: 1), .affine(outputs: 2)],
    ] {
      #expect {
        try Network(inputShape: FeatureShape(channels: 1, height: 3000, width: 3000), layers: layers)
      } throws: {
        ($0 as? Failure)?.code == .configuration && "\($0)".contains("GiB")
      }
    }
  }

  @Test func aNetworkMayEndInAConvolution() throws {
    let test = try TestNetwork(
      inputShape: FeatureShape(channels: 1, height: 3, width: 3),
      layers: [
        .convolution(filters: 9, size: 3, padding: 1, stride: 1), .relu,
        .convolution(filters: 4, size: 3, padding: 0, stride: 1),
      ], samples: 4, seed: 3)
    #expect(test.gradientError() <= 1e-4)
  }
}
