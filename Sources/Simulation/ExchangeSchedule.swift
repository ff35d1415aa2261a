import DataParallel

/// The messages of one all-reduce without compression, as the real one sends them: in exchanges, each of which a rank
/// leaves when all its messages are sent and all for it have come.
///
/// What ranks of a node see in the memory that they share counts as a message to each: it costs a wait, and bytes that are
/// copied.
struct ExchangeSchedule: Equatable {
  let form: ExchangeForm
  let ranks: Int
  /// How many there are, one after another.
  let exchanges: Int
  /// Roots of the gradient tree, by rank.
  let roots: [Int]
  /// The same of the ranks of a node together, by node.
  private let rootsOfNode: [Int]
  /// How many are on each node.
  private let perNode: Int
  /// Of the vector.
  private let units: Int
  private let allRoots: Int
  /// What `direct` sends to each other rank in its first exchange, all ranks together.
  private let sentToEach: Int

  private static let unitBytes = 64
  /// The statistics of a root.
  private static let trailerBytes = 64

  init(tree: GradientTree, parameterCount: Int, ranksPerNode: Int = 1) {
    ranks = tree.ranks
    perNode = max(1, min(ranksPerNode, tree.ranks))
    form = .taken(by: tree, parameterCount: parameterCount, ranksPerNode: perNode)
    roots = (0..<tree.ranks).map { tree.roots(ofRank: $0).count }
    units = (parameterCount * 4 + Self.unitBytes - 1) / Self.unitBytes
    allRoots = roots.reduce(0, +)
    sentToEach = roots.reduce(0) { $0 + ($1 == 0 ? 0 : $1 + 1) }
    let size = perNode
    rootsOfNode = (0..<tree.ranks / size).map { node in
      let first = tree.leaves(ofRank: node * size).lowerBound
      return tree.roots(within: first..<tree.leaves(ofRank: (node + 1) * size - 1).upperBound).count
    }
    switch form {
    case _ where ranks == 1: exchanges = 0
    case .direct: exchanges = 2
    case .doubling: exchanges = ranks.trailingZeroBitCount
    case .halving: exchanges = 2 * ranks.trailingZeroBitCount
    case .shared: exchanges = ExchangeForm.finishesWhole(bytes: units * Self.unitBytes) ? 1 : 2
    case .nodes: exchanges = 4
    }
  }

  private var rounds: Int { ranks.trailingZeroBitCount }
  private var nodes: Int { ranks / perNode }

  /// What a rank sends to each other one in the first direct exchange: its roots' slices and their statistics.
  private func sentToEach(by rank: Int) -> Int { roots[rank] == 0 ? 0 : roots[rank] + 1 }

  /// The same between nodes.
  private func sentToEach(byNode node: Int) -> Int { rootsOfNode[node] == 0 ? 0 : rootsOfNode[node] + 1 }

  func sent(_ exchange: Int, by rank: Int) -> Int {
    switch form {
    case .direct: (ranks - 1) * (exchange == 0 ? sentToEach(by: rank) : 1)
    case .doubling: 1
    case .halving: exchange < rounds ? 2 : 1
    case .shared: ranks - 1
    case .nodes:
      switch exchange {
      case 1: (nodes - 1) * sentToEach(byNode: rank / perNode)
      case 2: nodes - 1
      default: perNode - 1
      }
    }
  }

  func received(_ exchange: Int, by rank: Int) -> Int {
    switch form {
    case .direct: exchange == 0 ? sentToEach - sentToEach(by: rank) : ranks - 1
    case .nodes where exchange == 1:
      rootsOfNode.indices.reduce(0) { $0 + ($1 == rank / perNode ? 0 : sentToEach(byNode: $1)) }
    case .doubling, .halving, .shared, .nodes: sent(exchange, by: rank)
    }
  }

  /// The message of a number, in the order in which they are sent. One without bytes is none.
  func message(_ number: Int, _ exchange: Int, by rank: Int) -> (peer: Int, bytes: Int) {
    switch form {
    case .direct:
      let each = exchange == 0 ? sentToEach(by: rank) : 1
      // Each begins with its neighbour, so that no rank is everyone's first.
      let peer = (rank + 1 + number / each) % ranks
      guard exchange == 0 else { return (peer, slice(rank)) }
      return (peer, number % each < roots[rank] ? slice(peer) : roots[rank] * Self.trailerBytes)
    case .doubling: return (rank ^ 1 << exchange, units * Self.unitBytes + Self.trailerBytes)
    case .halving:
      let round = exchange < rounds ? exchange : 2 * rounds - 1 - exchange
      let peer = rank ^ 1 << round
      // On the way in what the partner keeps, on the way back what this rank has.
      if exchange < rounds { return (peer, number == 0 ? kept(after: round, by: peer) : Self.trailerBytes) }
      return (peer, kept(after: round, by: rank))
    case .shared:
      let peer = (rank + 1 + number) % ranks
      if exchange == 1 { return (peer, slice(rank)) }
      return (peer, roots[rank] * (exchanges == 1 ? units * Self.unitBytes : slice(peer)))
    case .nodes: return messageOfNodes(number, exchange, by: rank)
    }
  }

  private func messageOfNodes(_ number: Int, _ exchange: Int, by rank: Int) -> (peer: Int, bytes: Int) {
    let (node, place) = rank.quotientAndRemainder(dividingBy: perNode)
    switch exchange {
    case 0, 3:
      let other = (place + 1 + number) % perNode
      return (node * perNode + other, exchange == 0 ? roots[rank] * sliceOfNode(other) : sliceOfNode(place))
    case 1:
      let each = sentToEach(byNode: node)
      let other = (node + 1 + number / each) % nodes
      let isRoot = number % each < rootsOfNode[node]
      return (
        other * perNode + place, isRoot ? part(of: place, node: other) : rootsOfNode[node] * Self.trailerBytes
      )
    default: return ((node + 1 + number) % nodes * perNode + place, part(of: place, node: node))
    }
  }

  /// Bytes that a rank adds up when all of an exchange has come.
  func added(_ exchange: Int, by rank: Int) -> Int {
    switch form {
    case .direct: exchange == 0 ? (allRoots - 1) * slice(rank) : 0
    case .doubling: units * Self.unitBytes
    case .halving: exchange < rounds ? kept(after: exchange, by: rank) : 0
    case .shared:
      exchange == 0 ? (allRoots - 1) * (exchanges == 1 ? units * Self.unitBytes : slice(rank)) : 0
    case .nodes: addedOfNodes(exchange, by: rank)
    }
  }

  private func addedOfNodes(_ exchange: Int, by rank: Int) -> Int {
    let (node, place) = rank.quotientAndRemainder(dividingBy: perNode)
    switch exchange {
    case 0:
      let own = roots[node * perNode..<(node + 1) * perNode].reduce(0, +)
      return (own - rootsOfNode[node]) * sliceOfNode(place)
    case 1: return (rootsOfNode.reduce(0, +) - 1) * part(of: place, node: node)
    default: return 0
    }
  }

  /// Messages of all ranks.
  var messages: Int {
    (0..<exchanges).reduce(0) { sum, exchange in
      let isByMemory = form == .shared || form == .nodes && (exchange == 0 || exchange == 3)
      return isByMemory ? sum : sum + (0..<ranks).reduce(0) { $0 + sent(exchange, by: $1) }
    }
  }

  /// What a place of a node adds up of the vector, in bytes.
  private func sliceOfNode(_ place: Int) -> Int { unitsOfNode(place).count * Self.unitBytes }

  private func unitsOfNode(_ place: Int) -> Range<Int> { place * units / perNode..<(place + 1) * units / perNode }

  /// What of that a node finishes, in bytes.
  private func part(of place: Int, node: Int) -> Int {
    let count = unitsOfNode(place).count
    return ((node + 1) * count / nodes - node * count / nodes) * Self.unitBytes
  }

  /// Of the vector what a rank finishes, in bytes.
  private func slice(_ rank: Int) -> Int { ((rank + 1) * units / ranks - rank * units / ranks) * Self.unitBytes }

  /// Bytes that are still a rank's to add up after a round of halving.
  private func kept(after round: Int, by rank: Int) -> Int {
    var (start, end) = (0, units)
    for level in 0...round {
      let middle = (start + end) / 2
      if rank & 1 << level == 0 { end = middle } else { start = middle }
    }
    return (end - start) * Self.unitBytes
  }

  /// What the all-reduce costs where all ranks begin at once and none shares a link: how often each of the costs counts.
  struct Counts: Equatable {
    /// How many latencies, gaps, bytes sent and bytes added come one after another.
    var latencies = 0.0
    var gaps = 0.0
    var bytes = 0.0
    var added = 0.0
  }

  var counts: Counts {
    var counts = Counts()
    for exchange in 0..<exchanges {
      var (most, gaps, added) = (0, 0, 0)
      for rank in 0..<ranks {
        var (bytes, messages) = (0, 0)
        for number in 0..<sent(exchange, by: rank) {
          let size = message(number, exchange, by: rank).bytes
          bytes += size
          messages += size > 0 ? 1 : 0
        }
        most = max(most, bytes)
        gaps = max(gaps, messages)
        added = max(added, self.added(exchange, by: rank))
      }
      counts.latencies += 1
      counts.gaps += Double(gaps)
      counts.bytes += Double(most)
      counts.added += Double(added)
    }
    return counts
  }
}
