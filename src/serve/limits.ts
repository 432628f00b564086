import type { House } from '../flow/house.ts'
import { networkOf } from '../kit/address.ts'
import { LazaretError } from '../kit/errors.ts'
import { headerOf, type Answer, type OciRequest } from '../kit/http.ts'
import { principalId } from '../model/access.ts'

/** How often each may begin an upload. */
export interface UploadRate {
  /** In: a principal, or an address. Counts one. Throws LazaretError TOOMANYREQUESTS with the seconds to wait. */
  begin(key: string): void
}

/** Principals that began nothing for long are forgotten; so many are looked through when one more comes. */
const mostRemembered = 10_000

/**
 * A bucket for each principal that holds a minute's worth and fills at that rate, so that a burst after a rest is fine.
 * In: uploads a minute, or how they are looked up each time, 0 is no limit; and whose they are, in words.
 */
export function createUploadRate(given: number | (() => number), now: () => number = Date.now, whose = 'under this name'): UploadRate {
  const rate = typeof given === 'number' ? () => given : given
  const buckets = new Map<string, { left: number; at: number }>()

  function bucketOf(principal: string): { left: number; at: number } {
    const at = now()
    const perMinute = rate()
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
    begin(key) {
      const perMinute = rate()
      if (perMinute === 0) return
      const bucket = bucketOf(key)
      if (bucket.left < 1) throw tooMany(perMinute, whose, Math.ceil(((1 - bucket.left) * 60) / perMinute))
      bucket.left -= 1
    },
  }
}

function tooMany(perMinute: number, whose: string, seconds: number): LazaretError {
  return new LazaretError('TOOMANYREQUESTS', `more than ${perMinute} uploads a minute were begun ${whose}, try again in ${seconds} s`, {
    headers: { 'retry-after': String(seconds) },
    detail: { limit: 'uploads-per-minute' },
  })
}

/** How many uploads may be begun and not ended. */
export interface OpenUploads {
  /** Counts one that is about to begin. Throws LazaretError TOOMANYREQUESTS. */
  begin(): Promise<void>
  /** One has ended here. */
  end(): void
}

const recountMs = 1000

/**
 * Known by what begins and ends here, and counted anew where that reaches the limit, or after half a minute: what expires, and what others
 * begin and end over the same records, is seen by then.
 * In: the limit, and how the records are counted, up to the limit.
 */
export function createOpenUploads(most: number, count: () => Promise<number>, now: () => number = () => performance.now()): OpenUploads {
  let known = most
  let countedAt = Number.NEGATIVE_INFINITY
  let counting: Promise<void> | undefined

  async function recount(): Promise<void> {
    const begunBefore = known
    const counted = await count()
    known = counted + Math.max(0, known - begunBefore) // those that began meanwhile may not be in it
    countedAt = now()
  }

  return {
    async begin() {
      const age = now() - countedAt
      if (age >= recountMs && (known >= most || age >= 30 * recountMs)) await (counting ??= recount().finally(() => (counting = undefined)))
      if (known >= most)
        throw new LazaretError('TOOMANYREQUESTS', `${most} uploads are begun and not ended: end some, or try again later`, {
          headers: { 'retry-after': '30' },
          detail: { limit: 'uploads-open' },
        })
      known++
    },
    end() {
      known = Math.max(0, known - 1)
    },
  }
}

function countOpen({ records }: Pick<House, 'records'>, most: number): () => Promise<number> {
  return async () => {
    const open = (of: House['records']['read']) => of.selectFrom('uploads').select('id').where('expires_at', '>', 0).limit(most).as('open')
    const counted = await records.read
      .selectFrom(open(records.read))
      .select((of) => of.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return Number(counted.count)
  }
}

/** In: the house. Out: its push, behind the limits on room and rate. Reads, and ending an upload that is not wanted, have none. */
export function limitedPush({ push, disk, settings, records }: Pick<House, 'push' | 'disk' | 'settings' | 'records'>): House['push'] {
  const { openUploads } = settings.limits
  const rate = createUploadRate(() => settings.limits.uploadsPerMinute)
  const addressRate = createUploadRate(() => settings.limits.uploadsPerMinutePerAddress, Date.now, 'from this address')
  const open = createOpenUploads(openUploads, countOpen({ records }, openUploads))
  const withRoom =
    <T>(take: (request: OciRequest) => Promise<T>) =>
    async (request: OciRequest): Promise<T> => {
      disk.requireRoom(promisedBytes(request))
      return take(request)
    }
  const ended = (answer: Answer): Answer => {
    open.end()
    return answer
  }
  const failed = (error: unknown): never => {
    open.end()
    throw error
  }
  /** A mount, and a push in one request, leave none open. */
  const onlyOpen = (answer: Answer) => (answer.status === 202 ? answer : ended(answer))
  return {
    blobs: {
      ...push.blobs,
      start: withRoom(async (request) => {
        rate.begin(principalId(request.principal))
        addressRate.begin(networkOf(request.address))
        await open.begin()
        return onlyOpen(await push.blobs.start(request).catch(failed))
      }),
      patch: withRoom(push.blobs.patch),
      finish: withRoom(async (request) => ended(await push.blobs.finish(request))),
      cancel: async (request) => ended(await push.blobs.cancel(request)),
    },
    manifests: { ...push.manifests, put: withRoom(push.manifests.put) },
  }
}

/** What the head of a request says of its body; 0 where it says nothing that can be counted on. */
function promisedBytes(request: OciRequest): number {
  const text = headerOf(request, 'content-length') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}
