import Testing

@testable import Kernels

/// What both write to memory that was the same before, from the same operands.
func expectSameBits(
  _ count: Int, _ narrow: (UnsafeMutablePointer<Float>) -> Void, _ wide: (UnsafeMutablePointer<Float>) -> Void
) {
  var random = TestRandom(count)
  let before = Memory(count, random: &random)
  let (first, second) = (Memory(count), Memory(count))
  first.pointer.update(from: before.pointer, count: count)
  second.pointer.update(from: before.pointer, count: count)
  narrow(first.pointer)
  wide(second.pointer)
  #expect(first.array != before.array)
  #expect(first.array.map(\.bitPattern) == second.array.map(\.bitPattern))
}
