import Testing

@testable import Timeline

private func spans(
  _ moments: [Moment], arrivals: ExchangeArrivals = ExchangeArrivals([]), isMain: Bool = true
) -> [Span] {
  var spans: [Span] = []
  var builder = SpanBuilder(arrivals: arrivals, isMainThread: isMain) { spans += $0 }
  for moment in moments { builder.add(moment) }
  if let last = moments.last { builder.finish(at: last.nanoseconds) }
  return spans
}

private func moment(_ time: UInt64, _ kind: Moment.Kind, layer: UInt16 = 0, number: UInt32 = 0) -> Moment {
  Moment(nanoseconds: time, kind: kind, layer: layer, number: number)
}

@Suite struct SpanTests {
  @Test func aStepIsMadeOfItsPhasesPassesAndLayers() {
    let found = spans([
      moment(10, .step, number: 7), moment(11, .microbatch, number: 3), moment(12, .loading),
      moment(13, .forward, layer: 0), moment(14, .forward, layer: 1), moment(15, .loss),
      moment(16, .backward, layer: 1), moment(17, .backward, layer: 0), moment(18, .completion, layer: 0),
      moment(19, .microbatchEnd), moment(20, .addition), moment(22, .update), moment(23, .preparation),
      moment(24, .betweenSteps),
    ])
    #expect(
      found == [
        Span(kind: .step, start: 10, end: 24, number: 7), Span(kind: .microbatch, start: 11, end: 20, number: 3),
        Span(kind: .loading, start: 12, end: 13), Span(kind: .forwardPass, start: 13, end: 15),
        Span(kind: .forward, start: 13, end: 14), Span(kind: .forward, start: 14, end: 15, layer: 1),
        Span(kind: .loss, start: 15, end: 16), Span(kind: .backwardPass, start: 16, end: 19, layer: 1),
        Span(kind: .backward, start: 16, end: 17, layer: 1), Span(kind: .backward, start: 17, end: 18),
        Span(kind: .completion, start: 18, end: 19), Span(kind: .addition, start: 20, end: 22),
        Span(kind: .update, start: 22, end: 23), Span(kind: .preparation, start: 23, end: 24),
      ])
  }

  @Test func groupsOfAMicrobatchHavePassesOfTheirOwn() {
    let found = spans([
      moment(0, .step), moment(1, .microbatch), moment(2, .loading), moment(3, .forward), moment(4, .loss),
      moment(5, .loading), moment(6, .forward), moment(7, .loss), moment(8, .microbatchEnd), moment(9, .betweenSteps),
    ])
    #expect(found.filter { $0.kind == .forwardPass }.map(\.start) == [3, 6])
    #expect(found.filter { $0.kind == .forwardPass }.map(\.end) == [4, 7])
  }

  @Test func anExchangeIsWaitingForTheLastRankAndThenTransfer() {
    func rank(_ number: Int, scattering: UInt64, gathering: UInt64) -> RankMoments {
      RankMoments(
        rank: number, processStart: nil,
        threads: [
          RankMoments.Thread(
            dropped: 0, firstNanoseconds: 1,
            moments: [
              moment(1, .step, number: 5), moment(scattering, .scattering), moment(30, .finishing),
              moment(gathering, .gathering), moment(50, .pause), moment(51, .betweenSteps),
            ])
        ])
    }
    let ranks = [rank(0, scattering: 10, gathering: 40), rank(1, scattering: 25, gathering: 32)]
    let arrivals = ExchangeArrivals(ranks)
    #expect(
      spans(ranks[0].threads[0].moments, arrivals: arrivals).dropFirst() == [
        Span(kind: .scattering, start: 10, end: 30), Span(kind: .waiting, start: 10, end: 25, number: 1),
        Span(kind: .transfer, start: 25, end: 30), Span(kind: .finishing, start: 30, end: 40),
        Span(kind: .gathering, start: 40, end: 50), Span(kind: .transfer, start: 40, end: 50),
      ])
    #expect(
      spans(ranks[1].threads[0].moments, arrivals: arrivals).dropFirst() == [
        Span(kind: .scattering, start: 25, end: 30), Span(kind: .transfer, start: 25, end: 30),
        Span(kind: .finishing, start: 30, end: 32), Span(kind: .gathering, start: 32, end: 50),
        Span(kind: .waiting, start: 32, end: 40, number: 0), Span(kind: .transfer, start: 40, end: 50),
      ])
    // Where one rank's moments are gone, nobody knows when it came.
    let half = ExchangeArrivals([ranks[0], RankMoments(rank: 1, processStart: nil, threads: [])])
    let unknown = spans(ranks[0].threads[0].moments, arrivals: half)
    #expect(unknown.contains { $0.kind == .scattering })
    #expect(!unknown.contains { $0.kind == .waiting || $0.kind == .transfer })
  }

  @Test func whatLostItsBeginningIsLeftOut() {
    let rest: [Moment] = [
      moment(5, .backward, layer: 2), moment(6, .microbatchEnd), moment(7, .addition), moment(8, .betweenSteps),
      moment(9, .step, number: 2), moment(10, .microbatch), moment(11, .betweenSteps),
    ]
    #expect(spans(rest).map(\.kind) == [.step, .microbatch])
    // A second thread has no steps of its own.
    #expect(spans(rest, isMain: false).map(\.kind) == [.addition, .step, .microbatch])
  }

  /// Whatever the order of the moments.
  @Test(arguments: 0..<50) func spansNest(seed: UInt64) {
    var random = SeededGenerator(seed)
    let kinds: [Moment.Kind] = [
      .step, .evaluation, .betweenSteps, .ordering, .microbatch, .addition, .scattering, .finishing, .gathering,
      .update, .preparation, .pause, .loading, .forward, .loss, .backward, .completion, .microbatchEnd,
    ]
    var time: UInt64 = 0
    let moments = (0..<300).map { _ in
      // Some at the same time.
      time += UInt64.random(in: 0...3, using: &random)
      return moment(time, kinds.randomElement(using: &random) ?? .pause, layer: 1, number: 2)
    }
    let found = spans(moments, isMain: seed % 2 == 0)
    #expect(!found.isEmpty)
    expectNesting(found.map { (Double($0.start), Double($0.end)) })
  }
}

/// Each span lies inside the last one before it that has not ended, in the order given.
func expectNesting(_ spans: [(start: Double, end: Double)], _ location: SourceLocation = #_sourceLocation) {
  var open: [(start: Double, end: Double)] = []
  for span in spans {
    while let last = open.last, last.end <= span.start, !(span.start == span.end && last.end == span.end) {
      open.removeLast()
    }
    if let parent = open.last {
      #expect(span.start >= parent.start && span.end <= parent.end, sourceLocation: location)
    }
    #expect(span.end >= span.start, sourceLocation: location)
    open.append(span)
  }
}
