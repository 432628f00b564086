import type { House } from '../flow/house.ts'
import { LazaretError } from '../kit/errors.ts'
import { headerOf, type OciRequest } from '../kit/http.ts'
import { principalId } from '../model/access.ts'

/** How often each may begin an upload. */
export interface UploadRate {
  /** Counts one. Throws LazaretError TOOMANYREQUESTS with the seconds to wait. */
  begin(principal: string): void
}

/** Principals that began nothing for long are forgotten; so many are looked through when one more comes. */
const mostRemembered = 10_000

/**
 * A bucket for each principal that holds a minute's worth and fills at that rate, so that a burst after a rest is fine.
 * In: uploads a minute; 0 is no limit.
 */
export function createUploadRate(perMinute: number, now: () => number = Date.now): UploadRate {
  const buckets = new Map<string, { left: number; at: number }>()

  function bucketOf(principal: string): { left: number; at: number } {
    const at = now()
    const bucket = buckets.get(principal) ?? { left: perMinute, at }
    const passedMs = Math.max(0, at - bucket.at) // a clock that is set back gives nothing
    const filled = { left: Math.min(perMinute, bucket.left + (passedMs * perMinute) / 60_000), at }
    if (buckets.size >= mostRemembered && !buckets.has(principal)) forget(at)
    buckets.set(principal, filled)
    return filled
  }

  function forget(at: number): void {
    for (const [principal, bucket] of buckets) if (at - bucket.at >= 60_000) buckets.delete(principal)
  }

  return {
    begin(principal) {
      if (perMinute === 0) return
      const bucket = bucketOf(principal)
      if (bucket.left < 1) throw tooMany(perMinute, Math.ceil(((1 - bucket.left) * 60) / perMinute))
      bucket.left -= 1
    },
  }
}

function tooMany(perMinute: number, seconds: number): LazaretError {
  return new LazaretError(
    'TOOMANYREQUESTS',
    `more than ${perMinute} uploads a minute were begun under this name, try again in ${seconds} s`,
    {
      headers: { 'retry-after': String(seconds) },
      detail: { limit: 'uploads-per-minute' },
    },
  )
}

/** In: the house. Out: its push, behind the limits on room and rate. Reads, and ending an upload that is not wanted, have none. */
export function limitedPush({ push, disk, settings }: Pick<House, 'push' | 'disk' | 'settings'>): House['push'] {
  const rate = createUploadRate(settings.limits.uploadsPerMinute)
  const withRoom =
    <T>(take: (request: OciRequest) => Promise<T>) =>
    async (request: OciRequest): Promise<T> => {
      disk.requireRoom(promisedBytes(request))
      return take(request)
    }
  return {
    blobs: {
      ...push.blobs,
      start: withRoom(async (request) => {
        rate.begin(principalId(request.principal))
        return push.blobs.start(request)
      }),
      patch: withRoom(push.blobs.patch),
      finish: withRoom(push.blobs.finish),
    },
    manifests: { ...push.manifests, put: withRoom(push.manifests.put) },
  }
}

/** What the head of a request says of its body; 0 where it says nothing that can be counted on. */
function promisedBytes(request: OciRequest): number {
  const text = headerOf(request, 'content-length') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}
