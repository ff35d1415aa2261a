/// When each rank is to do its next thing: the earliest first, of equal times the lowest rank. A binary heap.
struct EventQueue {
  struct Event: Equatable {
    let time: Double
    let rank: Int

    static func < (first: Event, second: Event) -> Bool {
      first.time < second.time || (first.time == second.time && first.rank < second.rank)
    }
  }

  private var heap: [Event] = []

  mutating func push(_ event: Event) {
    var place = heap.count
    heap.append(event)
    while place > 0 {
      let parent = (place - 1) / 2
      guard event < heap[parent] else { break }
      heap[place] = heap[parent]
      place = parent
    }
    heap[place] = event
  }

  mutating func pop() -> Event? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < last else { break }
      heap[place] = heap[child]
      place = child
    }
    heap[place] = last
    return first
  }
}
