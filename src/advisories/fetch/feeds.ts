import type { SourceName } from '../../model/advisory-sources.ts'
import type { Feed } from './feed.ts'
import { alpineFeed } from './feed-alpine.ts'
import { debianFeed, epssFeed, kevFeed } from './feed-file.ts'
import { osvFeed } from './feed-osv.ts'

export const feeds: Readonly<Record<SourceName, Feed>> = {
  osv: osvFeed,
  alpine: alpineFeed,
  debian: debianFeed,
  kev: kevFeed,
  epss: epssFeed,
}
