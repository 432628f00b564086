import type { Readable } from 'node:stream'
import type { Principal } from '../model/access.ts'

/** A request under /v2, after sign-in, before anything was decided. */
export interface OciRequest {
  principal: Principal
  /** The client's address, for the audit log. */
  address: string
  repository: string
  /** Tag, digest or upload id, as the path has it. */
  reference: string
  query: URLSearchParams
  headers: Record<string, string | string[] | undefined>
  body: Readable
  /** Ends when the client hangs up. */
  signal: AbortSignal
}

/** What goes back; `serve` turns it into HTTP. */
export interface Answer {
  status: number
  headers: Record<string, string | string[]>
  body?: Buffer | string | Readable
}

export function headerOf(request: OciRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
