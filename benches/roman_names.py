"""Invented Roman names of Pakistani persons: every one is drawn token by token, none is of anybody.

Common tokens are drawn far more often than rare ones, and each may be spelt in several ways, as in
official lists. `dictionary` gives distinct names; `queries` gives names as a clerk would type them.
"""

from __future__ import annotations

from itertools import accumulate
from random import Random


def words(text: str) -> list[str]:
    return text.split()


MEN = words(
    "Muhammad Mohammad Ahmad Ahmed Ali Hassan Hussain Husain Umar Umer Usman Bilal Imran Kamran "
    "Irfan Rizwan Adnan Salman Sulaiman Suleman Yousaf Yousuf Ibrahim Ismail Ishaq Yaqoob Younas "
    "Haroon Musa Dawood Zakir Shakir Nasir Nazir Nazeer Tahir Zahid Shahid Sajid Majid Majeed "
    "Rashid Rasheed Saeed Waheed Hameed Hamid Khalid Waleed Naveed Javed Javaid Pervez Parvez "
    "Mehmood Mahmood Akbar Asghar Azhar Mazhar Anwar Sarwar Sardar Gulzar Iftikhar Mukhtar "
    "Zulfiqar Waqar Jabbar Ghaffar Sattar Qadir Qadeer Bashir Nisar Liaqat Shaukat Barkat Sharafat "
    "Riaz Ijaz Aijaz Niaz Ayaz Fayyaz Shahbaz Nawaz Sarfaraz Mumtaz Aslam Akram Azam Muazzam "
    "Ashraf Asif Kashif Atif Latif Arif Yasir Amir Aamir Aamer Zeeshan Ehsan Furqan Luqman Noman "
    "Rehan Faizan Arslan Danish Junaid Jawad Fawad Hammad Saad Fahad Asad Osama Hamza Talha Tayyab "
    "Zubair Uzair Shoaib Sohail Faisal Jamal Kamal Iqbal Bahadur Sikandar Gul Zaman Noor Fazal "
    "Karim Rahim Saleem Naeem Waseem Kaleem Nadeem Qasim Hashim Azeem Taimoor Mansoor Manzoor "
    "Ghafoor Shakoor Abdullah Ubaidullah Inayatullah Hidayatullah Saifullah Shafiq Rafiq Siddique"
)
WOMEN = words(
    "Fatima Ayesha Aisha Khadija Maryam Zainab Ruqayya Kalsoom Hafsa Safia Sumaira Samina Shamim "
    "Nasreen Parveen Yasmeen Shaheen Rubina Shabana Farzana Rukhsana Sultana Razia Nazia Shazia "
    "Fozia Saima Asma Uzma Salma Najma Bushra Sidra Iqra Kiran Sana Hina Amna Amina Momina Mehwish "
    "Rabia Sadia Nadia Javeria Zubaida Zahida Khalida Sajida Tahira Shahida Naseem Nasim Tasleem "
    "Kausar Akhtar Mumtaz Irshad Zarina Gulnaz Shahnaz Mehnaz Naila Humaira Sobia Tehmina"
)
SECOND = words(
    "Khan Ahmed Ahmad Ali Hussain Hassan Iqbal Akhtar Mehmood Mahmood Malik Shah Butt Mirza Raza "
    "Abbas Haider Hyder Rehman Rahman Aziz Rauf Ghani Hakeem Hakim Rasool Rasul Nabi Hadi Qureshi "
    "Siddiqui Hashmi Bukhari Gilani Ansari Awan Bhatti Chaudhry Choudhary Gondal Warraich Cheema "
    "Chattha Bajwa Rajput Janjua Kiani Satti Abbasi Mughal Baig Durrani Afridi Khattak Yousafzai "
    "Marwat Bangash Orakzai Mehsud Wazir Baloch Bugti Marri Mengal Zehri Rind Lashari Leghari "
    "Khosa Mazari Soomro Memon Bhutto Junejo Chandio Brohi Solangi Panhwar Shaikh Sheikh Pathan"
)
FRONT = ("Muhammad", "Mohammad", "Syed", "Abdul", "Ghulam", "Hafiz", "Haji", "Mian", "Ch", "Malik")
ALLAH = ("ullah", "uddin", " ud Din", " Ullah")
FEMALE = ("Bibi", "Begum", "Khatoon", "Mai", "Bano", "Jan")
KEYS = "abcdefghijklmnopqrstuvwxyz"


class Names:
    """One stream of names; the n-th token of a list is drawn in proportion to 1 / (n + 8)."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.weights = {n: list(accumulate(1 / (i + 8) for i in range(n))) for n in range(1, 300)}

    def pick(self, tokens: list[str] | tuple[str, ...]) -> str:
        return self.random.choices(tokens, cum_weights=self.weights[len(tokens)])[0]

    def name(self) -> str:
        draw = self.random.random
        tokens = []
        if draw() < 0.45:
            tokens = [self.pick(WOMEN)]
            if draw() < 0.3:
                tokens.append(self.pick(WOMEN))
            tokens.append(self.pick(FEMALE) if draw() < 0.5 else self.pick(MEN))
        else:
            if draw() < 0.5:
                tokens.append(self.pick(FRONT))
            tokens.append(self.pick(MEN))
            if draw() < 0.15:
                tokens[-1] += self.pick(ALLAH)
            if draw() < 0.4:
                tokens.append(self.pick(MEN))
        if draw() < 0.6:
            tokens.append(self.pick(SECOND))
        return " ".join(tokens)

    def typed(self, name: str) -> str:
        """Return the name with one slip of the keyboard."""
        at, key = self.random.randrange(len(name)), self.random.choice(KEYS)
        slip = self.random.randrange(4)
        if slip == 0:
            return name[:at] + key + name[at + 1 :]
        if slip == 1:
            return name[:at] + key + name[at:]
        if slip == 2:
            return name[:at] + name[at + 1 :]
        return name[:at] + name[at : at + 2][::-1] + name[at + 2 :]


def dictionary(size: int, seed: int = 1) -> list[str]:
    """Make distinct names, in the order they were drawn."""
    source = Names(seed)
    found: dict[str, None] = {}
    while len(found) < size:
        found[source.name()] = None
    return list(found)


def queries(names: list[str], size: int, seed: int = 2) -> list[str]:
    """Make queries: half are names of the list with a slip or two, half are drawn afresh."""
    source = Names(seed)
    made = []
    for n in range(size):
        if n % 2:
            made.append(source.name())
        else:
            name = source.typed(source.random.choice(names))
            made.append(source.typed(name) if n % 4 == 0 else name)
    return made
