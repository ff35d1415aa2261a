import Testing

@testable import Simulation

@Suite struct LeastSquaresTests {
  @Test func theCoefficientsThatValuesWereMadeOfAreFound() throws {
    // Many powers of ten apart, as bytes and seconds are.
    let costs = [2e-6, 3e-7, 1e-10]
    let rows = [[1.0, 2, 64], [2, 6, 1e4], [2, 3, 1e6], [4, 4, 3e5], [6, 9, 2e3]]
    let values = rows.map { zip($0, costs).reduce(0) { $0 + $1.0 * $1.1 } }
    let fit = try #require(LeastSquares.nonNegative(rows, values))
    for (found, cost) in zip(fit.coefficients, costs) { #expect((found / cost - 1).magnitude < 1e-6) }
    #expect(fit.residual < 1e-9)
  }

  @Test func noCostIsBelowZero() throws {
    // Without the limit the second coefficient would be -1.
    let fit = try #require(LeastSquares.nonNegative([[1, 0], [1, 1], [2, 1]], [2, 1, 3]))
    #expect(fit.coefficients[0] > 0 && fit.coefficients[1] == 0)
    #expect(fit.residual > 0.1)
  }

  @Test func columnsThatDependOnEachOtherAreNotBothTaken() throws {
    let fit = try #require(LeastSquares.nonNegative([[1, 2], [2, 4], [3, 6]], [2, 4, 6]))
    #expect(fit.coefficients[0].isNear(2) && fit.coefficients[1] == 0 && fit.residual < 1e-9)
    #expect(LeastSquares.nonNegative([], []) == nil)
  }

  @Test func everyMissIsAShareOfItsValue() {
    #expect(LeastSquares.residual(of: [1], [[1.1], [90]], [1, 100]).isNear(0.1))
  }
}

extension Double {
  func isNear(_ other: Double, by share: Double = 1e-9) -> Bool {
    (self - other).magnitude <= share * Swift.max(magnitude, other.magnitude)
  }
}
