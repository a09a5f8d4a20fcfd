import { describe, expect, it } from 'vitest'
import { formatBytes, formatDuration, relativeTime } from '@/ui/time'

describe('durations', () => {
  it.each([[0, '0.00 s'], [412, '0.41 s'], [12_345, '12.3 s'], [59_980, '1 m 00 s'], [245_000, '4 m 05 s'], [7_380_000, '2 h 03 m']])('%d ms are %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })
})

describe('moments', () => {
  const now = Date.parse('2026-11-22T12:00:00Z')

  it('are told relative to now, in the language of the reader', () => {
    expect(relativeTime(new Date(now - 125_000), now, 'en')).toBe('2 minutes ago')
    expect(relativeTime(new Date(now - 125_000), now, 'zh-CN')).toBe('2分钟前')
  })

  it('are told by date after a week', () => {
    expect(relativeTime(new Date(now - 30 * 86_400_000), now, 'en')).toBe('Oct 23, 2026')
  })
})

it('sizes have decimal units', () => {
  expect([0, 792, 2_600, 5_000_000].map((bytes) => formatBytes(bytes, 'en'))).toEqual(['0 B', '792 B', '2.6 kB', '5 MB'])
})
