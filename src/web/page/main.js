document.querySelector("#page").textContent = "…";
