/// One all-reduce after another, message by message.
///
/// A message holds the sender's link, then the receiver's, for the gap and its bytes, as both cut through: it is sent and
/// received at the same time where both are free. Messages take their turns on a link in the order in which they come to
/// it. Between nodes the ranks of a node share one link each way; within a node each rank has its own.
struct ExchangeSimulation {
  /// When a rank has the sum, and how long it added, in seconds.
  struct End: Equatable {
    var time: Double
    var adding: Double
  }

  private let schedule: ExchangeSchedule
  private let nodes: NodeLayout
  private let model: CostModel
  private let crowding: [Double]
  private let nodeOfRank: [Int]
  private var queue = EventQueue()
  /// Until when each link is taken, out and in: those of the ranks, then those of the nodes.
  private var outgoing: [Double] = []
  private var incoming: [Double] = []
  /// By rank.
  private var exchange: [Int] = []
  private var next: [Int] = []
  private var isWaiting: [Bool] = []
  private var ends: [End] = []
  /// By exchange and rank: how many messages have come, and when the last one did.
  private var arrived: [Int] = []
  private var lastArrival: [Double] = []

  init(_ schedule: ExchangeSchedule, nodes: NodeLayout, model: CostModel) {
    self.schedule = schedule
    self.nodes = nodes
    self.model = model
    crowding = (0..<nodes.ranks).map(nodes.crowding)
    nodeOfRank = (0..<nodes.ranks).map(nodes.node)
  }

  /// - Parameter entries: when each rank has its roots, in seconds.
  mutating func run(_ entries: [Double]) -> [End] {
    let ranks = schedule.ranks
    ends = entries.map { End(time: $0, adding: 0) }
    guard schedule.exchanges > 0 else { return ends }
    outgoing = Array(repeating: -.infinity, count: ranks + nodes.count)
    incoming = outgoing
    exchange = Array(repeating: 0, count: ranks)
    next = exchange
    isWaiting = Array(repeating: false, count: ranks)
    arrived = Array(repeating: 0, count: ranks * schedule.exchanges)
    lastArrival = Array(repeating: -.infinity, count: arrived.count)
    for (rank, time) in entries.enumerated() { queue.push(EventQueue.Event(time: time, rank: rank)) }
    while let event = queue.pop() { proceed(event.rank, at: event.time) }
    return ends
  }

  /// A rank sends its next message, or has sent all of an exchange.
  private mutating func proceed(_ rank: Int, at time: Double) {
    let current = exchange[rank]
    guard next[rank] < schedule.sent(current, by: rank) else { return endSending(rank, at: time) }
    let message = schedule.message(next[rank], current, by: rank)
    next[rank] += 1
    let free = send(message.bytes, from: rank, to: message.peer, in: current, at: time)
    queue.push(EventQueue.Event(time: free, rank: rank))
  }

  /// - Returns: when the sender is free again.
  private mutating func send(_ bytes: Int, from rank: Int, to peer: Int, in current: Int, at time: Double) -> Double {
    let place = current * schedule.ranks + peer
    var (free, arrival) = (time, time)
    if bytes > 0 {
      let isWithin = nodeOfRank[rank] == nodeOfRank[peer]
      let link = isWithin ? model.node : model.network
      // Within a node it is the ranks' cores that move the bytes.
      let holding = (link?.holding(bytes) ?? 0) * (isWithin ? crowding[rank] : 1)
      let (out, into) =
        isWithin ? (rank, peer) : (schedule.ranks + nodeOfRank[rank], schedule.ranks + nodeOfRank[peer])
      let start = max(time, outgoing[out])
      free = start + holding
      outgoing[out] = free
      incoming[into] = max(start, incoming[into]) + holding
      arrival = incoming[into] + (link?.latency ?? 0)
    }
    arrived[place] += 1
    lastArrival[place] = max(lastArrival[place], arrival)
    if isWaiting[peer], exchange[peer] == current, arrived[place] == schedule.received(current, by: peer) {
      isWaiting[peer] = false
      queue.push(EventQueue.Event(time: max(lastArrival[place], time), rank: peer))
    }
    return free
  }

  /// A rank that has sent all waits for what is still to come, adds, and goes on.
  private mutating func endSending(_ rank: Int, at time: Double) {
    let current = exchange[rank]
    let place = current * schedule.ranks + rank
    guard arrived[place] == schedule.received(current, by: rank) else {
      isWaiting[rank] = true
      return
    }
    let adding = Double(schedule.added(current, by: rank)) * model.additionSecondsPerByte * crowding[rank]
    let end = max(time, lastArrival[place]) + adding
    ends[rank].adding += adding
    ends[rank].time = end
    exchange[rank] += 1
    next[rank] = 0
    if exchange[rank] < schedule.exchanges { queue.push(EventQueue.Event(time: end, rank: rank)) }
  }
}
