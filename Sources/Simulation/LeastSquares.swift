/// Linear least squares in closed form: the normal equations, solved by elimination.
enum LeastSquares {
  /// A solution and how well it fits.
  struct Solution: Equatable {
    /// One a column; 0 for a column that was left out.
    let coefficients: [Double]
    /// The root of the mean square of what the values are missed by, each as a share of itself.
    let residual: Double
  }

  /// The coefficients, none below 0, that miss the values by the least sum of squares, each as a share of its value.
  ///
  /// No cost is below 0, so every set of columns is solved by itself, and the best is taken whose coefficients are all
  /// at least 0. A set whose columns depend on each other has no solution: a smaller one stands for it.
  ///
  /// - Parameters:
  ///   - rows: what the values are made of, a few columns each.
  ///   - values: above 0, one a row.
  /// - Returns: nil without rows or columns.
  static func nonNegative(_ rows: [[Double]], _ values: [Double]) -> Solution? {
    guard let columns = rows.first?.count, columns > 0, rows.count == values.count else { return nil }
    var best: Solution?
    // From many columns to few, and from the first on, so that of equally good sets the one with most is taken.
    let sets = (0...columns).reversed().flatMap { size in (1..<(1 << columns)).filter { $0.nonzeroBitCount == size } }
    for set in sets {
      let chosen = (0..<columns).filter { set & 1 << $0 != 0 }
      let shares = zip(rows, values).map { row, value in chosen.map { row[$0] / value } }
      guard let part = solve(shares, Array(repeating: 1, count: values.count)), part.allSatisfy({ $0 >= 0 }) else {
        continue
      }
      var coefficients = Array(repeating: 0.0, count: columns)
      for (column, value) in zip(chosen, part) { coefficients[column] = value }
      let residual = residual(of: coefficients, rows, values)
      if residual < (best?.residual ?? .infinity) - 1e-9 {
        best = Solution(coefficients: coefficients, residual: residual)
      }
    }
    return best
  }

  static func residual(of coefficients: [Double], _ rows: [[Double]], _ values: [Double]) -> Double {
    let squares = zip(rows, values).map { row, value in
      let predicted = zip(row, coefficients).reduce(0) { $0 + $1.0 * $1.1 }
      return (predicted / value - 1) * (predicted / value - 1)
    }
    return (squares.reduce(0, +) / Double(max(1, squares.count))).squareRoot()
  }

  /// - Returns: nil where the columns depend on each other, to within rounding.
  static func solve(_ rows: [[Double]], _ values: [Double]) -> [Double]? {
    guard let columns = rows.first?.count, rows.count >= columns else { return nil }
    // Columns of length 1: bytes and seconds are many powers of ten apart.
    let lengths = (0..<columns).map { column in rows.reduce(0) { $0 + $1[column] * $1[column] }.squareRoot() }
    guard lengths.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    var matrix = (0..<columns).map { i in
      (0..<columns).map { j in rows.reduce(0) { $0 + $1[i] / lengths[i] * $1[j] / lengths[j] } }
        + [zip(rows, values).reduce(0) { $0 + $1.0[i] / lengths[i] * $1.1 }]
    }
    for pivot in 0..<columns {
      guard let row = (pivot..<columns).max(by: { matrix[$0][pivot].magnitude < matrix[$1][pivot].magnitude }),
        matrix[row][pivot].magnitude > 1e-9
      else { return nil }
      matrix.swapAt(pivot, row)
      for other in 0..<columns where other != pivot {
        let factor = matrix[other][pivot] / matrix[pivot][pivot]
        for column in pivot...columns { matrix[other][column] -= factor * matrix[pivot][column] }
      }
    }
    return (0..<columns).map { matrix[$0][columns] / matrix[$0][$0] / lengths[$0] }
  }
}
