{
  const stage = document.getElementById("stage");
  if (stage) {
    const slider = document.getElementById("slider");
    const strip = document.querySelector(".strip");
    const sheets = [...strip.querySelectorAll("figure")];
    const show = (place) => {
      const sheet = sheets[place];
      stage.querySelector("img").src = sheet.querySelector("img").src;
      document.getElementById("stage-step").textContent = sheet.querySelector("figcaption").textContent;
      slider.value = place;
      sheets.forEach((other) => other.classList.toggle("shown", other === sheet));
      strip.scrollLeft = sheet.offsetLeft - (strip.clientWidth - sheet.clientWidth) / 2;
    };
    slider.addEventListener("input", () => show(Number(slider.value)));
    sheets.forEach((sheet, place) => sheet.addEventListener("click", () => show(place)));
    stage.hidden = false;
    strip.classList.add("thumbs");
    show(sheets.length - 1);
  }
}
