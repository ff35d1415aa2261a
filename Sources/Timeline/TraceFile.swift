import Checkpoints
import Failures
import Reporting

/// A timeline as a file in Chrome's trace event format ("Trace Event Format", Google, 2016): a process a rank, a thread
/// a worker, a complete event a span, times in microseconds on rank 0's clock since the first process was started.
struct TraceFile {
  let program: String
  /// The host of every rank, by rank.
  let hosts: [String]
  /// The names of the network's layers.
  let layers: [String]
  let ranks: [RankMoments]
  /// The most moments that a thread has kept.
  let capacity: Int

  struct Counts: Equatable {
    var spans = 0
    /// Moments that were not kept.
    var dropped = 0
  }

  /// - Throws: `.cannotCreate` or `.noPermission` where no file can be made in that place.
  static func probe(_ path: String) throws(Failure) { try AtomicFile.probe(for: path) }

  func write(to path: String) throws(Failure) -> Counts {
    var counts = Counts()
    try AtomicFile.write(to: path) { (file) throws(Failure) in
      counts = try write { (bytes) throws(Failure) in try file.append(bytes.span.bytes) }
    }
    return counts
  }

  /// Hands the text over piece by piece.
  func write(_ append: ([UInt8]) throws(Failure) -> Void) throws(Failure) -> Counts {
    let arrivals = ExchangeArrivals(ranks)
    var counts = Counts(spans: 0, dropped: ranks.reduce(0) { $0 + $1.threads.reduce(0) { $0 + $1.dropped } })
    let text = TraceText(base: base, layers: layers)
    text.add("{\"displayTimeUnit\":\"ms\",\"otherData\":\(otherData(counts).encoded),\"traceEvents\":[\n")
    for rank in ranks {
      let host = rank.rank < hosts.count ? hosts[rank.rank] : "?"
      text.addMetadata("process_name", rank.rank, thread: 0, .text("rank \(rank.rank) (\(host))"))
      text.addMetadata("process_sort_index", rank.rank, thread: 0, .integer(rank.rank))
      if let start = rank.processStart, let first = rank.threads.first?.firstNanoseconds, first >= start {
        text.add(Span(kind: .start, start: start, end: first), rank.rank, thread: 0)
        counts.spans += 1
      }
      for (number, thread) in rank.threads.enumerated() {
        text.addMetadata("thread_name", rank.rank, thread: number, .text("worker \(number)"))
        if thread.dropped > 0, let first = thread.moments.first {
          text.addDropped(thread.dropped, limit: capacity, rank.rank, thread: number, at: first.nanoseconds)
        }
        var builder = SpanBuilder(arrivals: arrivals, isMainThread: number == 0) { spans in
          counts.spans += spans.count
          for span in spans { text.add(span, rank.rank, thread: number) }
        }
        for moment in thread.moments {
          builder.add(moment)
          if text.bytes.count >= Self.pieceSize { try append(text.take()) }
        }
        if let last = thread.moments.last { builder.finish(at: last.nanoseconds) }
      }
    }
    text.endEvents()
    try append(text.take())
    return counts
  }

  private static let pieceSize = 1 << 20

  /// The start of the first process, or the first moment where that is not known.
  private var base: UInt64 {
    let starts = ranks.flatMap { rank in
      [rank.processStart].compactMap { $0 } + rank.threads.compactMap(\.firstNanoseconds)
    }
    return starts.min() ?? 0
  }

  private func otherData(_ counts: Counts) -> JSONValue {
    .object([
      .init("program", .text(program)),
      .init("ranks", .integer(ranks.count)),
      .init("clock", .text("that of rank 0, 0 at the start of the first process")),
      .init("moments_kept_a_thread", .integer(capacity)),
      .init("moments_dropped", .integer(counts.dropped)),
      .init(
        "moments_dropped_by_rank",
        .array(ranks.map { .integer($0.threads.reduce(0) { $0 + $1.dropped }) })),
    ])
  }
}

/// The text of a trace as it grows.
final class TraceText {
  private(set) var bytes: [UInt8] = []
  private let base: UInt64
  private let layers: [String]
  private var isFirst = true

  /// - Parameter base: the moment that is written as 0.
  init(base: UInt64, layers: [String]) {
    self.base = base
    self.layers = layers
  }

  /// What has been written since the last call.
  func take() -> [UInt8] {
    let piece = bytes
    bytes.removeAll(keepingCapacity: true)
    return piece
  }

  func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

  func endEvents() { add("\n]}\n") }

  func addMetadata(_ name: String, _ rank: Int, thread: Int, _ value: JSONValue) {
    let key = name.hasSuffix("name") ? "name" : "sort_index"
    beginEvent(name, category: nil, phase: "M", rank, thread)
    add(",\"args\":{\"\(key)\":\(value.encoded)}}")
  }

  /// A mark where a thread's moments begin of which earlier ones are gone.
  func addDropped(_ count: Int, limit: Int, _ rank: Int, thread: Int, at nanoseconds: UInt64) {
    beginEvent("earlier moments dropped", category: "timeline", phase: "i", rank, thread)
    add(",\"s\":\"t\",\"ts\":")
    addMicroseconds(nanoseconds &- base)
    add(",\"args\":{\"dropped\":\(count),\"kept\":\(limit)}}")
  }

  func add(_ span: Span, _ rank: Int, thread: Int) {
    let (name, category) = description(span)
    beginEvent(name, category: category, phase: "X", rank, thread)
    add(",\"ts\":")
    addMicroseconds(span.start &- base)
    add(",\"dur\":")
    addMicroseconds(span.end &- span.start)
    switch span.kind {
    case .step: addArgument("step", span.number)
    case .evaluation: addArgument("after step", span.number)
    case .microbatch: addArgument("microbatch", span.number)
    case .waiting: addArgument("rank", span.number)
    default: break
    }
    add("}")
  }

  /// Name and category, as a person reads them.
  private func description(_ span: Span) -> (String, String) {
    func layer(_ what: String) -> (String, String) {
      (span.layer < layers.count ? "\(layers[span.layer]) \(what)" : "layer \(span.layer) \(what)", "layer")
    }
    return switch span.kind {
    case .start: ("start of the program", "run")
    case .step: ("step", "run")
    case .evaluation: ("evaluation", "run")
    case .ordering: ("order of the epoch", "phase")
    case .microbatch: ("microbatch", "phase")
    case .addition: ("local additions", "phase")
    case .scattering: ("exchange of subtrees", "communication")
    case .finishing: ("finishing the tree", "phase")
    case .gathering: ("exchange of results", "communication")
    case .update: ("update", "phase")
    case .preparation: ("weights for the kernels", "phase")
    case .loading: ("load", "phase")
    case .forwardPass: ("forward", "pass")
    case .loss: ("loss", "phase")
    case .backwardPass: ("backward", "pass")
    case .forward: layer("forward")
    case .backward: layer("backward")
    case .completion: layer("gradient")
    case .waiting: ("waiting for rank \(span.number)", "communication")
    case .transfer: ("transfer", "communication")
    }
  }

  private func beginEvent(_ name: String, category: String?, phase: String, _ rank: Int, _ thread: Int) {
    if !isFirst { add(",\n") }
    isFirst = false
    add("{\"name\":\(JSONValue.text(name).encoded)")
    if let category { add(",\"cat\":\"\(category)\"") }
    add(",\"ph\":\"\(phase)\",\"pid\":\(rank),\"tid\":\(thread)")
  }

  private func addArgument(_ name: String, _ value: Int) { add(",\"args\":{\"\(name)\":\(value)}") }

  /// With three decimals, so that no nanosecond is lost.
  private func addMicroseconds(_ nanoseconds: UInt64) {
    let (whole, part) = nanoseconds.quotientAndRemainder(dividingBy: 1000)
    add(String(whole))
    bytes.append(UInt8(ascii: "."))
    for divisor: UInt64 in [100, 10, 1] { bytes.append(UInt8(ascii: "0") + UInt8(part / divisor % 10)) }
  }
}
