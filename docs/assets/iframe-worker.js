/* Search in pages opened from a folder: browsers start no worker there, so a hidden frame runs its script. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      const inner = this.inner = frame.contentWindow
      const load = url => new Promise((resolve, reject) => {
        const script = inner.document.createElement("script")
        Object.assign(script, { src: url, onload: resolve, onerror: reject })
        inner.document.body.append(script)
      })
      inner.importScripts = (...urls) => urls.reduce((done, url) => done.then(() => load(url)), Promise.resolve())
      inner.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      this.loaded = load(url)
    }
    postMessage(data) {
      this.loaded.then(() => this.inner.dispatchEvent(new this.inner.MessageEvent("message", { data })))
    }
    set onmessage(handler) { this.addEventListener("message", handler) }
    terminate() { this.inner.frameElement.remove() }
  }
}
