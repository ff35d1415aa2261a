import Communication
import Configuration
import Datasets
import Failures
import Foundation
import Testing

@testable import Benchmarks

/// A network and data so small that a round is over in the blink of an eye.
private var smallSettings: Settings {
  var settings = Settings()
  settings.model.filters = [8, 8]
  settings.model.filterSizes = [3, 3]
  settings.model.paddings = [1, 1]
  settings.model.strides = [1, 1]
  settings.model.hiddenSize = 16
  settings.dataset.name = .syntheticDigits
  settings.dataset.trainingSamples = 33
  settings.dataset.testSamples = 20
  settings.training.batch = 10
  settings.training.microbatch = 2
  settings.training.threads = 1
  settings.evaluation.microbatch = 4
  return settings
}

private func report(replicas: Int?, threads: Int = 1, rounds: Int = 2) throws -> BenchmarkReport {
  var settings = smallSettings
  settings.training.threads = threads
  let benchmark = Benchmark(settings: settings, program: "test", rounds: rounds, secondsPerRound: 0.01)
  guard let replicas else { return try #require(try benchmark.run(on: SingleProcess())) }
  let reports = try InProcessReplicas.run(count: replicas) { (communicator) throws(Failure) in
    try benchmark.run(on: communicator)
  }
  #expect(reports.dropFirst().allSatisfy { $0 == nil })
  return try #require(reports[0])
}

@Suite(.serialized) struct BenchmarkTests {
  @Test(arguments: [(nil, 1), (nil, 2), (1, 1), (2, 1), (3, 2)] as [(Int?, Int)])
  func everyFigureIsMeasuredInEveryRound(replicas: Int?, threads: Int) throws {
    let report = try report(replicas: replicas, threads: threads)
    let ranks = replicas ?? 1
    #expect(report.subject.ranks == ranks && report.subject.threads == ranks * threads)
    for rounds in [report.training, report.inference, report.peak, report.read, report.copy, report.allReduce] {
      #expect(rounds.values.count == 2 && rounds.values.allSatisfy { $0 > 0 && $0.isFinite })
    }
    #expect(report.layers.count == report.layers.filter { $0.forward.best > 0 && $0.backward.best > 0 }.count)
    let stages = report.stages
    for stage in [stages.computation, stages.finishing, stages.update, stages.preparation, stages.loading, stages.loss]
    {
      #expect(stage.values.count == 2 && stage.values.allSatisfy { $0 > 0 })
    }
    // The parts of a round's step are no longer than the step.
    for round in 0..<2 {
      let parts = [
        stages.computation, stages.additions, stages.exchange, stages.finishing, stages.update, stages.preparation,
      ].reduce(0) { $0 + $1.values[round] }
      #expect(parts > 0 && parts <= stages.step.values[round])
      #expect((0..<1).contains(stages.communicationShare.values[round]))
    }
    #if os(Linux)
      #expect(try #require(report.firstStepSeconds) > 0)
      let memory = try #require(report.memory)
      #expect(memory.own > 1 << 20 && memory.peak >= memory.own && memory.anonymous > 0 && memory.program > 0)
    #endif
  }

  @Test func theJSONHasItsKeys() throws {
    let report = try report(replicas: 2)
    let object = try JSONSerialization.jsonObject(with: Data(report.json.encoded.utf8))
    let json = try #require(object as? [String: Any])
    // What the help promises is there, and by its first name.
    for key in BenchmarkReport.keys where !key.name.contains("…") { #expect(json[key.name] != nil, "\(key.name)") }
    for key in ["training_images_per_second", "inference_images_per_second", "peak_gflops", "adam_milliseconds"] {
      let rounds = try #require(json["\(key)_rounds"] as? [Double])
      let best = try #require(json[key] as? Double)
      let median = try #require(json["\(key)_median"] as? Double)
      #expect(rounds.count == 2)
      #expect(best == (key == "adam_milliseconds" ? rounds.min() : rounds.max()))
      #expect(abs(median - (rounds[0] + rounds[1]) / 2) < 1e-9 * median)
    }
    let training = try #require(json["training_images_per_second"] as? Double)
    #expect(abs(training - report.training.best) < 1e-9 * training)
    let layers = try #require(json["layers"] as? [[String: Any]])
    #expect(layers.map { $0["name"] as? String } == report.layers.map(\.name))
    for layer in layers {
      for direction in ["forward", "backward"] {
        let flop = try #require(layer["\(direction)_megaflop"] as? Double)
        let time = try #require(layer["\(direction)_microseconds"] as? Double)
        let rate = try #require(layer["\(direction)_gflops"] as? Double)
        #expect(abs(rate - flop / time * 1e3) < 1e-6 * rate)
        let share = try #require(layer["\(direction)_share_of_peak"] as? Double)
        #expect(share > 0 && abs(share * report.peakOfAThread * 1e-9 - rate) < 1e-6 * rate)
      }
    }
    #expect(json["ranks"] as? Int == 2)
  }

  @Test func theTextNamesEveryLayerAndFigure() throws {
    let report = try report(replicas: nil, rounds: 1)
    let text = report.lines.joined(separator: "\n")
    for layer in report.layers { #expect(text.contains("\n\(layer.name) ")) }
    for word in ["training ", "inference ", "peak ", "memory, read ", "all-reduce ", "Adam ", "images/s", "% of peak"] {
      #expect(text.contains(word), "\(word)")
    }
    #expect(!text.contains("nan") && !text.contains("inf "))
    for line in report.lines { #expect(line.count <= 120 && !line.hasSuffix(" "), "\(line.count): \(line)") }
  }

  @Test func heldSamplesAreThoseOfTheirSource() throws {
    let source = try SyntheticDigits(subset: .test, count: 9)
    let held = HeldDataset(source)
    #expect(held.count == 9 && held.imageShape == source.imageShape && held.name == source.name)
    var (one, other) = ([UInt8](repeating: 0, count: 784), [UInt8](repeating: 1, count: 784))
    for index in [8, 0, 3] {
      let labels = (source.read(index, into: &one), held.read(index, into: &other))
      #expect(labels.0 == labels.1 && one == other)
    }
  }

  @Test func aPathWithoutDataIsAnErrorAndDrawnDigitsAreAsMany() throws {
    var settings = smallSettings
    let data = try BenchmarkData(settings)
    #expect(data.training.count == 33 && data.test.count == 20)
    settings.dataset.trainingSamples = 0
    #expect(try BenchmarkData(settings).training.count == BenchmarkData.drawnTrainingSamples)
    settings.dataset.name = .mnist
    settings.dataset.path = "/nowhere"
    let failure = #expect(throws: Failure.self) { try BenchmarkData(settings) }
    #expect(failure?.code == .noInput)
  }

  @Test func moreRanksThanMicrobatchesIsAnError() {
    var settings = smallSettings
    settings.training.microbatch = 10
    let benchmark = Benchmark(settings: settings, program: "test", rounds: 1, secondsPerRound: 0.01)
    let failure = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 2) { (communicator) throws(Failure) in try benchmark.run(on: communicator) }
    }
    #expect(failure?.code == .configuration)
  }
}

@Suite(.serialized) struct ProfileTests {
  private func profile(replicas: Int, threads: Int = 1) throws -> StepProfile {
    var settings = smallSettings
    settings.training.threads = threads
    let prepared = settings
    let profiles = try InProcessReplicas.run(count: replicas) { (communicator) throws(Failure) in
      try StepProfile.measure(prepared, program: "a <b> & \"c\"", secondsPerRound: 0.01, on: communicator)
    }
    return try #require(profiles[0])
  }

  @Test(arguments: [(1, 1), (1, 3), (2, 1)]) func thePartsMakeUpTheStep(replicas: Int, threads: Int) throws {
    let profile = try profile(replicas: replicas, threads: threads)
    let sum = profile.forwardShare + profile.backwardShare + profile.otherShare
    #expect(abs(sum - 1) < 1e-6)
    #expect(profile.parts.contains { $0.name == "exchange" } == (replicas > 1))
    for part in profile.parts where part.name.hasPrefix("convolution") {
      #expect(part.forward > 0 && part.backward > 0 && part.other == 0)
    }
    #expect(profile.lines.contains { $0.hasPrefix("convolution 2 ") && $0.hasSuffix(" %") })
  }

  @Test func thePictureIsWellFormedAndHasEveryPart() throws {
    let profile = try profile(replicas: 2)
    let reader = PictureReader()
    let parser = XMLParser(data: Data(profile.picture.utf8))
    parser.delegate = reader
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(reader.root == "svg")
    for part in profile.parts { #expect(reader.texts.contains(part.name)) }
    #expect(reader.texts.contains { $0.hasPrefix("a <b> & \"c\"") })
    #expect(reader.styles.contains("prefers-color-scheme: dark"))
    // Two for each layer, one for each other part, three of the strip and the page.
    let layers = profile.parts.count { $0.forward > 0 }
    let others = profile.parts.count { $0.other > 0 }
    #expect(reader.rectangles.count == 2 * layers + others + 4)
    #expect(
      reader.rectangles.allSatisfy { $0.x >= 0 && $0.width >= 0 && $0.x + $0.width <= reader.width + 0.1 })
  }
}

#if canImport(FoundationXML)
  import FoundationXML
#endif

private final class PictureReader: NSObject, XMLParserDelegate {
  var root: String?
  var width = 0.0
  var texts: [String] = []
  var styles = ""
  var rectangles: [(x: Double, width: Double)] = []
  private var element = ""

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    root = root ?? name
    element = name
    if name == "svg" { width = Double(attributes["width"] ?? "") ?? 0 }
    if name == "text" { texts.append("") }
    if name == "rect" {
      rectangles.append((Double(attributes["x"] ?? "") ?? -1, Double(attributes["width"] ?? "") ?? -1))
    }
  }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    element = ""
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if element == "text" { texts[texts.count - 1] += string }
    if element == "style" { styles += string }
  }
}
