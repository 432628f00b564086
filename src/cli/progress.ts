import type { Io } from './command.ts'

const everyMs = 200

/** One line on a terminal, written over and over; nothing where there is none. `end` clears it. */
export function progressLine(io: Io): { show: (text: string) => void; end: () => void } {
  const { errColumns: columns } = io
  if (columns === undefined) return { show: () => undefined, end: () => undefined }
  let shownAt = -everyMs
  return {
    show(text) {
      if (performance.now() - shownAt < everyMs) return
      shownAt = performance.now()
      io.err(`\r\u001B[K${text.slice(0, columns - 1)}`)
    },
    end: () => io.err('\r\u001B[K'),
  }
}

/** In: a share from 0 to 1. Out: `[####......]`. */
export function bar(share: number, width = 20): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width)
  return `[${'#'.repeat(full)}${'.'.repeat(width - full)}]`
}

/** `1536000` → `1.5 MB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  return at === 0 ? `${bytes} B` : `${(bytes / 1000 ** at).toFixed(1)} ${units[at]}`
}
