import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { LazaretError } from '../errors.ts'
import { nearnessOf, type AddressRanges, type Nearness } from '../network/ranges.ts'

/**
 * Where the answer of a server may lead (a redirect, a token service): to what is public, and to what is as near as that server
 * itself; further in only where `network.allowPrivate` lists it. A registry of ours may keep its blobs on a store of ours, and
 * nobody's registry makes us ask a router, a database or a cloud's metadata.
 */
export interface Guard {
  /** In: an address. Throws DENIED. */
  check(address: string): void
  /** As dns.lookup, with only the addresses that pass: it is what is connected to, so that no second look-up can differ. */
  lookup: LookupFunction
}

/** In: the host that was led to, how near the server is that led there, and what is allowed besides. */
export function createGuard(host: string, from: Nearness, allowed: AddressRanges): Guard {
  const passes = (address: string): boolean => mayLead(from, nearnessOf(address)) || allowed.has(address)
  const refusal = (address: string) =>
    new LazaretError(
      'DENIED',
      `the answer leads to ${host}, which is inside a private network (${address}): if that is right, list it in network.allowPrivate`,
    )
  return {
    check(address) {
      if (!passes(address)) throw refusal(address)
    },
    lookup(name, options, callback) {
      lookup(name, { ...options, all: true }, (error, found) => {
        if (error !== null) return callback(error, '', 0)
        const passing = found.filter(({ address }) => passes(address))
        const [first] = passing
        if (first === undefined) return callback(refusal(found[0]?.address ?? 'no address'), '', 0)
        if (options.all === true) callback(null, passing)
        else callback(null, first.address, first.family)
      })
    },
  }
}

function mayLead(from: Nearness, to: Nearness): boolean {
  if (to === 'public' || from === 'loopback') return to !== 'apart'
  return from === 'private' && to === 'private'
}
