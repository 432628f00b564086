// R, "Writing R Extensions" 1.1.1 (Version) and base::package_version: whole numbers with `.` or `-` between them, which mean the same.
import { compareDotted } from './dotted.ts'
import type { Order } from './order.ts'

/** In: two versions of R packages (CRAN, Bioconductor). Out: their order; `0.1.0` comes before `0.1.0.0`. */
export function compareCran(a: string, b: string): Order {
  return compareDotted(a, b, '.-')
}
