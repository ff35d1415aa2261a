import Arithmetic
import Failures
import Testing

@testable import Checkpoints

@Suite struct StoragePrecisionTests {
  /// Every float16 there is, against the processor's own.
  @Test func everyFloat16IsRead() {
    for bits in UInt16.min...UInt16.max {
      let expected = Float(Float16(bitPattern: bits))
      let value = HalfPrecision.float(float16: bits)
      #expect(value == expected || (value.isNaN && expected.isNaN))
      #expect(value.sign == expected.sign)
      if !value.isNaN { #expect(HalfPrecision.float16(value) == bits) }
    }
  }

  /// Between any two neighbours of 16 bits the nearer is taken, and in the middle the even one.
  @Test func roundingIsToTheNearestEven() {
    var numbers = TestNumbers(seed: 3)
    for bits in stride(from: UInt16(0), to: 0x7bff, by: 7) {
      let (low, high) = (HalfPrecision.float(float16: bits), HalfPrecision.float(float16: bits + 1))
      let middle = (low + high) / 2
      #expect(HalfPrecision.float16(middle) == bits + bits & 1)
      #expect(HalfPrecision.float16(middle.nextDown) == bits)
      #expect(HalfPrecision.float16(-middle.nextUp) == (bits + 1) | 0x8000)
    }
    for bits in stride(from: UInt16(0), to: 0x7f7f, by: 11) {
      let (low, high) = (HalfPrecision.float(bfloat16: bits), HalfPrecision.float(bfloat16: bits + 1))
      let middle = low + (high - low) / 2
      #expect(HalfPrecision.bfloat16(middle) == bits + bits & 1)
      #expect(HalfPrecision.bfloat16(middle.nextDown) == bits)
      #expect(HalfPrecision.bfloat16(-middle.nextUp) == (bits + 1) | 0x8000)
    }
    for _ in 0..<100_000 {
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: numbers.next()))
      guard !value.isNaN else { continue }
      #expect(HalfPrecision.float16(value) == Float16(value).bitPattern, "\(value)")
    }
  }

  @Test func infinityAndNoNumberStay() {
    for value in [Float.infinity, -.infinity] {
      #expect(HalfPrecision.float(float16: HalfPrecision.float16(value)) == value)
      #expect(HalfPrecision.float(bfloat16: HalfPrecision.bfloat16(value)) == value)
    }
    #expect(HalfPrecision.float(float16: HalfPrecision.float16(.nan)).isNaN)
    #expect(HalfPrecision.float(bfloat16: HalfPrecision.bfloat16(Float(bitPattern: 0x7f80_0001))).isNaN)
  }

  /// A weight is at most half a scale off, and the largest of its channel is exact.
  @Test(arguments: [[3, 2, 2, 2], [5, 4]])
  func int8IsWithinHalfAScale(shape: [Int]) throws {
    var numbers = TestNumbers(seed: 7)
    let count = shape.reduce(1, *)
    let values = (0..<count).map { _ in Float(Int(numbers.next() % 2001) - 1000) / 500 }
    let rounded = try StoragePrecision.int8.rounded(Tensor(name: "W1", shape: shape, values: values), from: "w").values
    let channels = shape.count == 4 ? shape[0] : shape[1]
    for channel in 0..<channels {
      let places = values.indices.filter { (shape.count == 4 ? $0 / 8 : $0 % 4) == channel }
      let largest = places.map { values[$0].magnitude }.max() ?? 0
      for place in places {
        #expect((rounded[place] - values[place]).magnitude <= largest / 254 * 1.0001)
        if values[place].magnitude == largest { #expect((rounded[place] - values[place]).magnitude <= largest * 1e-6) }
      }
    }
  }

  @Test(arguments: StoragePrecision.allCases)
  func whatIsWrittenIsReadAsItWasRounded(precision: StoragePrecision) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x.safetensors"
    let file = SafetensorsFile(weights: Array(twelveLayers.prefix(6)), step: 1, epoch: 0, configuration: "seed: 0")
    try file.write(to: path, precision: precision, from: "w")
    #expect(try SafetensorsFile(reading: path) == file.rounded(to: precision, from: "w"))
    // In float32 it is the file that a run writes.
    guard precision == .float32 else { return }
    let usual = folder.path + "/y.safetensors"
    try file.write(to: usual)
    #expect(try bytes(of: usual) == bytes(of: path))
  }

  @Test(arguments: [
    (StoragePrecision.float16, Float(65_520)), (.bfloat16, .greatestFiniteMagnitude), (.int8, .infinity), (.int8, .nan),
  ])
  func whatDoesNotFitIsRefused(precision: StoragePrecision, value: Float) {
    let tensor = Tensor(name: "W1", shape: [1, 2], values: [1, value])
    let failure = #expect(throws: Failure.self) { try precision.rounded(tensor, from: "w") }
    #expect(failure?.code == .badData)
    #expect(failure?.cause.hasPrefix("w: value 1 of \"W1\"") == true)
  }

  @Test func int8WithoutItsScalesIsRefused() throws {
    let folder = try TemporaryFolder()
    let header = "{\"W1\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[0,4]}}"
    let path = try folder.file("x", safetensors(header, data: [1, 2, 3, 4]))
    let failure = #expect(throws: Failure.self) { try SafetensorsFile(reading: path) }
    #expect(failure?.cause.contains("the int8 tensor \"W1\" has no scales \"W1.scale\"") == true)
  }
}
