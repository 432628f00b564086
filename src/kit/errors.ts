/**
 * Every error that reaches a user has a code from one closed list (docs/errors.md explains each).
 * The OCI codes are those of the distribution-spec, "Error Codes".
 */
export const errorCodes = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 416,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 413,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
  TAG_INVALID: 400,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  INPUT_INVALID: 400,
  NOT_FOUND: 404,
  CONFLICT: 409,
  USAGE: 400,
  SETTING_INVALID: 400,
  UNREADABLE: 422,
  LIMIT_EXCEEDED: 413,
  TIMED_OUT: 504,
  UNAVAILABLE: 503,
  INTERNAL: 500,
} as const
export type ErrorCode = keyof typeof errorCodes

/** An error that a user may read: a code, one line of words, and what goes into the answer's `detail`. */
export class LazaretError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly detail: unknown
  readonly headers: Record<string, string>

  constructor(
    code: ErrorCode,
    message: string,
    options: { detail?: unknown; status?: number; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LazaretError'
    this.code = code
    this.status = options.status ?? errorCodes[code]
    this.detail = options.detail
    this.headers = options.headers ?? {}
  }
}

/** In: anything thrown. Out: its message, in one line, for logs and problem notes. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replaceAll(/\s+/g, ' ').trim()
}
