// Runs before the first paint: sets theme and language on <html>, so that nothing flashes. Kept tiny and
// external, because the content security policy allows no inline scripts.
;(function () {
  var kept = {}
  try {
    kept = JSON.parse(localStorage.getItem('opsjob.preferences') || '{}')
  } catch {
    kept = {}
  }
  var root = document.documentElement
  var dark = kept.theme === 'dark' || (kept.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  root.classList.toggle('dark', dark)
  var language = kept.language || (navigator.language || 'en').slice(0, 2)
  root.lang = language === 'zh' ? 'zh-CN' : 'en'
})()
