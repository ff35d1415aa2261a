/// Something that a thread did from one moment to another. The spans of a thread nest.
struct Span: Equatable {
  enum Kind: Equatable {
    case start
    case step, evaluation
    case ordering, microbatch, addition, scattering, finishing, gathering, update, preparation
    case loading, forwardPass, loss, backwardPass
    case forward, backward, completion
    /// For the last rank to come to the exchange.
    case waiting
    case transfer
  }

  var kind: Kind
  var start: UInt64
  var end: UInt64
  /// The layer's place in the network, where one is meant.
  var layer = 0
  /// The step, the microbatch, or the rank waited for, where one is meant.
  var number = 0
}

/// Turns the moments of one thread into spans, each before those inside it.
struct SpanBuilder {
  private let arrivals: ExchangeArrivals
  private let isMainThread: Bool
  private let emit: ([Span]) -> Void
  /// Complete but for the open ones, in the order in which they began.
  private var spans: [Span] = []
  /// By depth the place in `spans` of what is going on; nil where nothing is.
  private var open: [Int?] = [nil, nil, nil, nil]
  /// The exchange that the thread comes to next.
  private var exchange = ExchangeArrivals.Key(isEvaluation: false, number: 0)

  /// - Parameters:
  ///   - isMainThread: whether its moments lie in steps and evaluations. What was before the first of them is left out.
  ///   - emit: is given the spans, some at a time.
  init(arrivals: ExchangeArrivals, isMainThread: Bool, emit: @escaping ([Span]) -> Void) {
    self.arrivals = arrivals
    self.isMainThread = isMainThread
    self.emit = emit
  }

  mutating func add(_ moment: Moment) {
    let depth = moment.kind.depth
    let hasParent = depth == 0 || depth == 1 && (!isMainThread || open[0] != nil) || depth > 1 && open[1] != nil
    guard hasParent else { return }
    // The passes are told by their layers alone.
    if let pass = moment.kind.pass, let current = open[2], spans[current].kind == pass {
      close(from: 3, at: moment.nanoseconds)
    } else {
      close(from: min(depth, 2), at: moment.nanoseconds)
      if let pass = moment.kind.pass { begin(Span(kind: pass, at: moment), depth: 2) }
    }
    if depth == 0 {
      exchange = ExchangeArrivals.Key(isEvaluation: moment.kind == .evaluation, number: moment.number)
    }
    if let kind = moment.kind.span { begin(Span(kind: kind, at: moment), depth: depth) }
  }

  /// - Parameter nanoseconds: when the thread ended, for what it was still doing.
  mutating func finish(at nanoseconds: UInt64) { close(from: 0, at: nanoseconds) }

  private mutating func begin(_ span: Span, depth: Int) {
    open[depth] = spans.count
    spans.append(span)
  }

  private mutating func close(from depth: Int, at nanoseconds: UInt64) {
    for depth in depth..<open.count {
      guard let place = open[depth] else { continue }
      spans[place].end = nanoseconds
      open[depth] = nil
      let kind = spans[place].kind
      if kind == .scattering || kind == .gathering { divide(spans[place]) }
    }
    if depth <= 1 && open[0] == nil && !spans.isEmpty {
      emit(spans)
      spans.removeAll(keepingCapacity: true)
    }
  }

  /// An exchange is waiting until the last rank has come to it, and transfer after that.
  private mutating func divide(_ span: Span) {
    guard let last = arrivals.last(exchange, isGathering: span.kind == .gathering) else { return }
    let turn = min(max(last.nanoseconds, span.start), span.end)
    if turn > span.start { spans.append(Span(kind: .waiting, start: span.start, end: turn, number: last.rank)) }
    spans.append(Span(kind: .transfer, start: turn, end: span.end))
  }
}

/// When the ranks came to their exchanges.
struct ExchangeArrivals {
  struct Key: Hashable {
    let isEvaluation: Bool
    let number: UInt32
  }

  private struct Arrival {
    var count = 0
    var rank = 0
    var nanoseconds: UInt64 = 0
  }

  private let ranks: Int
  private var scattering: [Key: Arrival] = [:]
  private var gathering: [Key: Arrival] = [:]

  init(_ ranks: [RankMoments]) {
    self.ranks = ranks.count
    guard ranks.count > 1 else { return }
    for rank in ranks {
      var key: Key?
      for moment in rank.threads.first?.moments ?? [] {
        switch moment.kind {
        case .step, .evaluation: key = Key(isEvaluation: moment.kind == .evaluation, number: moment.number)
        case .scattering: note(rank.rank, moment, key, &scattering)
        case .gathering: note(rank.rank, moment, key, &gathering)
        default: break
        }
      }
    }
  }

  private func note(_ rank: Int, _ moment: Moment, _ key: Key?, _ arrivals: inout [Key: Arrival]) {
    guard let key else { return }
    var arrival = arrivals[key] ?? Arrival()
    arrival.count += 1
    if moment.nanoseconds >= arrival.nanoseconds {
      arrival.nanoseconds = moment.nanoseconds
      arrival.rank = rank
    }
    arrivals[key] = arrival
  }

  /// The rank that came last, and when; nil where the moments of some rank are gone.
  func last(_ key: Key, isGathering: Bool) -> (rank: Int, nanoseconds: UInt64)? {
    guard let arrival = (isGathering ? gathering : scattering)[key], arrival.count == ranks else { return nil }
    return (arrival.rank, arrival.nanoseconds)
  }
}

extension Span {
  fileprivate init(kind: Kind, at moment: Moment) {
    self.init(
      kind: kind, start: moment.nanoseconds, end: moment.nanoseconds, layer: Int(moment.layer),
      number: Int(moment.number))
  }
}

extension Moment.Kind {
  /// What begins with it.
  fileprivate var span: Span.Kind? {
    switch self {
    case .step: .step
    case .evaluation: .evaluation
    case .ordering: .ordering
    case .microbatch: .microbatch
    case .addition: .addition
    case .scattering: .scattering
    case .finishing: .finishing
    case .gathering: .gathering
    case .update: .update
    case .preparation: .preparation
    case .loading: .loading
    case .forward: .forward
    case .loss: .loss
    case .backward: .backward
    case .completion: .completion
    case .betweenSteps, .pause, .microbatchEnd: nil
    }
  }

  /// The pass of which a layer's work is a part.
  fileprivate var pass: Span.Kind? {
    switch self {
    case .forward: .forwardPass
    case .backward, .completion: .backwardPass
    default: nil
    }
  }
}
