import { type ErrorCode, LazaretError } from '../../kit/errors.ts'

/** Why something was not fetched, in words for an operator, and whether asking again may help. */
export class FetchProblem extends LazaretError {
  /** It may be gone at the next try. */
  readonly passing: boolean
  /** What the server answered, where it answered. */
  readonly answered: number | undefined
  /** How long the server asks to be left alone, in milliseconds. */
  readonly afterMs: number | undefined

  constructor(
    code: ErrorCode,
    message: string,
    about: { passing?: boolean; answered?: number; afterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(code, message, about.cause === undefined ? {} : { cause: about.cause })
    this.passing = about.passing ?? false
    this.answered = about.answered
    this.afterMs = about.afterMs
  }
}
