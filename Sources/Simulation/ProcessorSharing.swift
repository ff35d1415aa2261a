/// Ranks on the cores of a node: each has one of its own while there are enough, and an equal part of them otherwise. A core
/// that one leaves is there for the others at once ("processor sharing").
struct ProcessorSharing {
  /// How many ranks can compute at once.
  let capacity: Double

  /// When each rank has done its work.
  ///
  /// - Parameters:
  ///   - starts: when it begins, in seconds.
  ///   - work: how long it takes with a core of its own, in seconds.
  func ends(starts: [Double], work: [Double]) -> [Double] {
    guard Double(starts.count) > capacity else { return zip(starts, work).map { $0 + $1 } }
    let order = starts.indices.sorted { (starts[$0], $0) < (starts[$1], $1) }
    var ends = starts
    var left = work
    var active: [Int] = []
    var (next, time) = (0, 0.0)
    while next < order.count || !active.isEmpty {
      if active.isEmpty { time = starts[order[next]] }
      while next < order.count, starts[order[next]] <= time {
        active.append(order[next])
        next += 1
      }
      let rate = min(1, capacity / Double(active.count))
      let least = active.map { left[$0] }.min() ?? 0
      let finish = time + least / rate
      if next < order.count, starts[order[next]] < finish {
        let done = (starts[order[next]] - time) * rate
        for rank in active { left[rank] -= done }
        time = starts[order[next]]
      } else {
        for rank in active {
          left[rank] -= least
          if !(left[rank] > 0) { ends[rank] = finish }
        }
        // Endless work less itself is no number.
        active.removeAll { !(left[$0] > 0) }
        time = finish
      }
    }
    return ends
  }
}
