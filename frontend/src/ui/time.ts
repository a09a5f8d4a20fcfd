// Moments and durations as people read them; everything comes from the server in UTC and is shown in local time.
import { onBeforeUnmount, ref, type Ref } from 'vue'

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]]

export function relativeTime(then: Date, now: number, language: string): string {
  const seconds = Math.round((then.getTime() - now) / 1_000)
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  if (Math.abs(seconds) >= 7 * 86_400) return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(then)
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1]
  return format.format(Math.trunc(seconds / size), unit)
}

export function exactTime(then: Date, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'long' }).format(then)
}

/** 0.4 s · 12.3 s · 4 m 05 s · 2 h 03 m; the same in every language, as units of measure are. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1_000
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`
  const whole = Math.round(seconds)
  const pad = (value: number) => String(value).padStart(2, '0')
  if (whole < 3_600) return `${Math.floor(whole / 60)} m ${pad(whole % 60)} s`
  return `${Math.floor(whole / 3_600)} h ${pad(Math.floor((whole % 3_600) / 60))} m`
}

export function formatBytes(bytes: number, language: string): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const
  const step = Math.min(units.length - 1, bytes < 1_000 ? 0 : Math.floor(Math.log10(bytes) / 3))
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(bytes / 1_000 ** step)} ${units[step]}`
}

/** A clock that ticks while the part that uses it is on screen. */
export function useNow(everyMilliseconds: number): Ref<number> {
  const now = ref(Date.now())
  const timer = setInterval(() => (now.value = Date.now()), everyMilliseconds)
  onBeforeUnmount(() => clearInterval(timer))
  return now
}
