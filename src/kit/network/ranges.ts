import { BlockList, isIP, isIPv6 } from 'node:net'

/** Ranges of addresses. */
export interface AddressRanges {
  /** In: anything. Out: whether it is an address in one of the ranges; what is no address is in none. */
  has(address: string): boolean
}

/** In: ranges as `ADDRESS/PREFIX`, as the settings have them. An IPv4 range holds the IPv6 form of its addresses too. */
export function rangesOf(ranges: readonly string[]): AddressRanges {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    list.addSubnet(address, Number(prefix), familyOf(address))
  }
  return {
    has(given) {
      const address = plainAddress(given)
      return address !== undefined && list.check(address, familyOf(address))
    },
  }
}

/** In: text. Out: the address without its zone, an IPv4 address that came as `::ffff:192.0.2.1` as itself; undefined where it is none. */
export function plainAddress(text: string): string | undefined {
  const bare = text.replace(/%.*$/s, '')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare
  return isIP(mapped) === 0 ? undefined : mapped
}

/**
 * How near an address is: `apart` is what belongs to one host or one link and yet is no loopback (169.254.169.254 hands out a
 * cloud's secrets), what nobody has, and what reaches many.
 */
export type Nearness = 'loopback' | 'private' | 'apart' | 'public'

const kinds: readonly [Nearness, AddressRanges][] = [
  ['loopback', rangesOf(['127.0.0.0/8', '::1/128'])],
  // RFC 1918, RFC 6598 (shared by a carrier's customers), RFC 4193.
  ['private', rangesOf(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'])],
  // RFC 6890: link-local, unspecified, protocol assignments, documentation, benchmarking, multicast, reserved. IPv6 addresses that
  // carry an IPv4 address (NAT64, 6to4, Teredo, IPv4-compatible) would lead around what is said of that one.
  [
    'apart',
    rangesOf([
      '0.0.0.0/8',
      '169.254.0.0/16',
      '192.0.0.0/24',
      '192.0.2.0/24',
      '198.18.0.0/15',
      '198.51.100.0/24',
      '203.0.113.0/24',
      '224.0.0.0/3',
      '::/96',
      '64:ff9b::/96',
      '64:ff9b:1::/48',
      '100::/64',
      '2001::/32',
      '2001:db8::/32',
      '2002::/16',
      'fe80::/10',
      'fec0::/10',
      'ff00::/8',
    ]),
  ],
]

/** In: an address. Out: how near it is; what is no address is `apart`. Follows the registries of RFC 6890. */
export function nearnessOf(address: string): Nearness {
  if (plainAddress(address) === undefined) return 'apart'
  return kinds.find(([, ranges]) => ranges.has(address))?.[0] ?? 'public'
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
